from __future__ import annotations

from headrace.client.nouns.asking import Asking
from headrace.schema.loop import LoopStatus


class LoopCalls(Asking):
    """The verbs on background loops."""

    def list_loops(self) -> list[LoopStatus]:
        return self._read("/loops", list[LoopStatus])
