"""What a worker needs of the kind of its pool: somewhere to execute runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from headrace.workers.charge import Charge, Ending


class Launched(Protocol):
    """A run that is being executed."""

    def end(self) -> None:
        """Have it end: politely, and after its grace by force. Asked again, nothing more happens."""
        ...


class Infrastructure(Protocol):
    """Executes runs. Used from one thread; `ended` may be called from another."""

    def launch(self, charge: Charge, ended: Callable[[Ending | None], None]) -> Launched:
        """Begin to execute a run; `ended` is called once it has ended, with None when nobody knows how.

        Raises `OSError` when it cannot be begun.
        """
        ...

    def close(self) -> None:
        """Launch no more. What is being executed goes on."""
        ...
