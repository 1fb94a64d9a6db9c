"""Every error Headrace raises, as one tree.

    HeadraceError
    ├── ConfigurationError            a setting, profile or file says something that cannot be used
    │   └── UnknownSetting
    ├── DatabaseError                 the database cannot be used as it is
    │   ├── UnusableDatabase          no database, damaged, no permission
    │   ├── NewerSchema               written by a newer Headrace
    │   └── DatabaseBusy              in use in a way that forbids what was asked (migration under a live process)
    ├── GatewayError                  the orchestrator refused or failed a request
    │   ├── ObjectNotFound            404
    │   ├── ObjectAlreadyExists       409
    │   ├── StaleEpoch                409: a newer attempt of this run exists; this one must end itself
    │   ├── InvalidRequest            422
    │   │   └── LostFacts             the orchestrator no longer has facts it had acknowledged
    │   ├── NotAuthorized             401, 403
    │   └── Unavailable               nothing answered, or not in time: worth trying again
    ├── RunError                      how a run ended, raised to whoever asked for its result
    │   ├── FailedRun
    │   ├── CrashedRun
    │   ├── CancelledRun
    │   ├── PausedRun
    │   ├── PauseTimeoutError         also a TimeoutError
    │   ├── UnfinishedRun
    │   ├── MissingResult
    │   ├── FlowRunTimeoutError       also a TimeoutError
    │   ├── FlowRunWaitTimeout        also a TimeoutError
    │   └── TaskRunTimeoutError       also a TimeoutError
    ├── ConcurrencySlotError          slots of a concurrency limit could not be had, or could not be kept
    │   ├── ConcurrencySlotAcquisitionError
    │   │   └── AcquireConcurrencySlotTimeoutError    also a TimeoutError
    │   └── ConcurrencySlotLost
    └── UsageError                    the flow or task was written or called in a way that cannot work
        ├── MissingContextError
        ├── ParameterBindError        also a TypeError
        ├── ParameterTypeError
        ├── FlowVisualizationError    a flow cannot be drawn without running it
        ├── ReservedArgumentError     also a TypeError
        ├── InvalidNameError          also a ValueError
        ├── MappingLengthMismatch
        ├── MappingMissingIterable
        ├── SerializationError
        ├── UnknownBlockType          no class here is called by that block type
        └── InvalidBlockRegistration  a class that is no block type of its own was registered or saved

Each message says what happened, to what, and what to do next, in one line.
"""

from __future__ import annotations

from collections.abc import Sequence


class HeadraceError(Exception):
    """The root: catch this to catch everything Headrace raises."""


class ConfigurationError(HeadraceError):
    """A setting, a profile or a file says something that cannot be used."""


class UnknownSetting(ConfigurationError):
    """A setting was named that does not exist."""


class DatabaseError(HeadraceError):
    """The database cannot be used as it is."""


class UnusableDatabase(DatabaseError):
    """The file is no database, is damaged, or may not be read or written."""


class NewerSchema(DatabaseError):
    """The database was written by a newer Headrace than this one."""


class DatabaseBusy(DatabaseError):
    """Other live processes use the database in a way that forbids what was asked."""


class GatewayError(HeadraceError):
    """The orchestrator refused a request or could not perform it."""


class ObjectNotFound(GatewayError):
    """The object named in the request does not exist in this workspace."""


class ObjectAlreadyExists(GatewayError):
    """An object with this name or key exists already."""


class StaleEpoch(GatewayError):
    """A newer attempt of the run exists; the attempt that asked is fenced and must end itself."""


class InvalidRequest(GatewayError):
    """The request cannot mean anything as it stands.

    `problems` says it field by field where that is known: the way to a field of the request, and what is wrong with it.
    """

    def __init__(self, message: str = "", problems: Sequence[tuple[list[str | int], str]] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class LostFacts(InvalidRequest):
    """The orchestrator no longer has facts that it had acknowledged: its database was put back to an earlier moment."""


class NotAuthorized(GatewayError):
    """The server does not know who asks, or does not let them."""


class Unavailable(GatewayError):
    """Nothing answered, or not in time; the request may be repeated.

    `retry_after` is the seconds after which the server asked to come again, if it did.
    """

    def __init__(self, message: str = "", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RunError(HeadraceError):
    """How a run ended, raised to whoever asked for its result."""


class FailedRun(RunError):
    """The run ended in a Failed state and its own exception is not at hand."""


class CrashedRun(RunError):
    """The run was ended from outside: its process died, was interrupted or was told to exit."""


class CancelledRun(RunError):
    """The run was cancelled."""


class PausedRun(RunError):
    """The run is paused and has no result yet."""


class PauseTimeoutError(RunError, TimeoutError):
    """A flow run was paused and nobody resumed it in time."""


class UnfinishedRun(RunError):
    """The run has not ended, so it has no result yet."""


class MissingResult(RunError):
    """The run completed, but its value was not kept where this process can read it."""


class FlowRunTimeoutError(RunError, TimeoutError):
    """A flow run took longer than its `timeout_seconds`."""


class FlowRunWaitTimeout(RunError, TimeoutError):
    """A flow run that somebody waits for has not ended in time; it goes on."""


class TaskRunTimeoutError(RunError, TimeoutError):
    """A task run took longer than its `timeout_seconds`."""


class ConcurrencySlotError(HeadraceError):
    """Slots of a concurrency limit could not be had, or could not be kept."""


class ConcurrencySlotAcquisitionError(ConcurrencySlotError):
    """Slots of a concurrency limit could not be had."""


class AcquireConcurrencySlotTimeoutError(ConcurrencySlotAcquisitionError, TimeoutError):
    """Slots of a concurrency limit were not free in time."""


class ConcurrencySlotLost(ConcurrencySlotError):
    """The lease on slots ran out while they were used: others may have had them meanwhile."""


class UsageError(HeadraceError):
    """A flow or task was written or called in a way that cannot work."""


class MissingContextError(UsageError):
    """Something that needs a current run was used outside of one."""


class ParameterBindError(UsageError, TypeError):
    """The arguments of a call do not fit the function's signature."""


class ParameterTypeError(UsageError):
    """A parameter's value does not fit its annotation."""


class FlowVisualizationError(UsageError):
    """A flow cannot be drawn without running it: its code looks at values that only a run would have."""


class ReservedArgumentError(UsageError, TypeError):
    """A parameter of a flow or task has the name of a keyword that every call takes."""


class InvalidNameError(UsageError, ValueError):
    """A flow has a name with signs that no name may have."""


class MappingLengthMismatch(UsageError):
    """The arguments of a `map` are not equally long."""


class MappingMissingIterable(UsageError):
    """No argument of a `map` can be iterated."""


class SerializationError(UsageError):
    """A value could not be written or read by the serializer chosen for it."""


class UnknownBlockType(UsageError):
    """No class that this process knows is called by that block type."""


class InvalidBlockRegistration(UsageError):
    """A class that is no block type of its own was registered or saved."""
