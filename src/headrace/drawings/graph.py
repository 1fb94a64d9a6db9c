"""What a drawing is of: the steps of a flow, and what each needs of those before it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Need:
    """A step that another one needs: for its value, or (`waits`) only that it has ended."""

    step: int
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A call of a task, or of a subflow; `many` says how often for one that is mapped: `"3"`, or `"n"` where a run decides."""

    name: str
    is_flow: bool = False
    many: str | None = None
    needs: tuple[Need, ...] = ()

    @property
    def label(self) -> str:
        """The name, with how often it is called."""
        return self.name if self.many is None else f"{self.name} × {self.many}"


@dataclass(frozen=True, slots=True)
class Graph:
    """The steps of a flow in the order of their calls: each needs only steps before it."""

    name: str
    steps: tuple[Step, ...] = field(default=())
