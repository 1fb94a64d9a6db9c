"""Signals as something that is waited for, so that nothing but a byte is written wherever one strikes."""

from __future__ import annotations

import os
import select
import signal
from types import FrameType, TracebackType
from typing import Self


class Signals:
    """Takes signals, in the main thread, for as long as its `with` block lasts."""

    def __init__(self, *numbers: signal.Signals) -> None:
        self._numbers = numbers
        self._before: dict[signal.Signals, object] = {}
        self._reader, self._writer = -1, -1

    def __enter__(self) -> Self:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._before = {number: signal.signal(number, self._note) for number in self._numbers}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # pyright: ignore[reportArgumentType] - as it was given
        os.close(self._reader)
        os.close(self._writer)

    def wait(self, seconds: float | None = None) -> signal.Signals | None:
        """The next signal; None when none comes in time."""
        if not select.select([self._reader], [], [], seconds)[0]:
            return None
        return signal.Signals(os.read(self._reader, 1)[0])

    def _note(self, number: int, _frame: FrameType | None) -> None:
        os.write(self._writer, bytes([number]))
