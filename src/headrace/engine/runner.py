"""The contract of task runners: where submitted tasks are executed. `runners/` has those of the house."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Protocol, Self


class Work(Protocol):
    """A submitted task run. Calling it executes the run in this process, on the calling thread; it never raises."""

    def __call__(self) -> None:
        """Execute it."""
        ...


class TaskRunner(ABC):
    """Executes the task runs that flows submit.

    The one that is given to a flow is a pattern: each flow run has a duplicate of its own, which is set up when the first
    task is submitted, and torn down when the flow's function has returned. What executes work in other processes is a
    `RemoteTaskRunner`.
    """

    defer: Callable[..., Any] | None = None
    """Has a call executed by somebody who makes a run of it by himself: `(session, task, arguments, wait_for)`, a future."""

    @abstractmethod
    def duplicate(self) -> Self:
        """A runner like this one, for one flow run; nothing of it has been started."""
        ...

    def setup(self) -> None:  # noqa: B027 - most have nothing to start
        """Start what is needed before anything is submitted. What it raises is raised to whoever submits."""

    @abstractmethod
    def submit(self, work: Work) -> None:
        """Execute `work` soon and elsewhere. Called from any thread, also from work that is being executed."""
        ...

    @abstractmethod
    def teardown(self) -> None:
        """Wait until everything submitted has been executed, what that submits included, and let go of what executed it."""
        ...

    def abandon(self) -> None:  # noqa: B027 - where nothing can be ended there is nothing to do
        """Let go without waiting: the flow run was interrupted or is late. What was submitted goes on where it cannot be
        ended, as in threads.
        """
