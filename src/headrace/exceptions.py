"""Every error Headrace raises; the tree is drawn in `headrace.base.errors`."""

from headrace.base.errors import (
    CancelledRun,
    ConfigurationError,
    CrashedRun,
    DatabaseBusy,
    DatabaseError,
    FailedRun,
    FlowRunTimeoutError,
    GatewayError,
    HeadraceError,
    InvalidRequest,
    LostFacts,
    MissingContextError,
    MissingResult,
    NewerSchema,
    NotAuthorized,
    ObjectAlreadyExists,
    ObjectNotFound,
    ParameterBindError,
    ParameterTypeError,
    PausedRun,
    PauseTimeoutError,
    RunError,
    SerializationError,
    StaleEpoch,
    TaskRunTimeoutError,
    Unavailable,
    UnfinishedRun,
    UnknownSetting,
    UnusableDatabase,
    UsageError,
)
from headrace.engine.futures import UpstreamFailed

__all__ = [
    "CancelledRun", "ConfigurationError", "CrashedRun", "DatabaseBusy", "DatabaseError", "FailedRun", "FlowRunTimeoutError",
    "GatewayError", "HeadraceError", "InvalidRequest", "LostFacts", "MissingContextError", "MissingResult", "NewerSchema",
    "NotAuthorized", "ObjectAlreadyExists", "ObjectNotFound", "ParameterBindError", "ParameterTypeError",
    "PauseTimeoutError", "PausedRun", "RunError", "SerializationError", "StaleEpoch", "TaskRunTimeoutError", "Unavailable",
    "UnfinishedRun", "UnknownSetting", "UnusableDatabase", "UpstreamFailed", "UsageError",
]  # fmt: skip
