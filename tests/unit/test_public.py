"""The public interface: its names are frozen here, and what the thin modules do themselves is tested here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import headrace
from headrace import Task, exceptions, flow, states, task
from headrace.base import errors
from headrace.flows import Flow
from headrace.schema.state import State, StateType
from headrace.tasks import task_input_hash
from headrace.testing import frozen_clock

NAMES = {
    "headrace": [
        "Flow", "State", "Task", "Transaction", "__version__", "allow_failure", "apause_flow_run", "aresume_flow_run",
        "aserve", "asuspend_flow_run", "deploy", "flow", "get_client", "get_run_logger", "pause_flow_run", "quote",
        "resume_flow_run", "serve", "suspend_flow_run", "tags", "task", "unmapped",
    ],
    "headrace.artifacts": [
        "Artifact", "ImageArtifact", "LinkArtifact", "MarkdownArtifact", "ProgressArtifact", "TableArtifact",
        "acreate_image_artifact", "acreate_link_artifact", "acreate_markdown_artifact", "acreate_progress_artifact",
        "acreate_table_artifact", "aupdate_progress_artifact", "create_image_artifact", "create_link_artifact",
        "create_markdown_artifact", "create_progress_artifact", "create_table_artifact", "update_progress_artifact",
    ],
    "headrace.assets": ["Asset", "AssetProperties", "MaterializingTask", "add_asset_metadata", "materialize"],
    "headrace.automations": [
        "Automation", "CallWebhook", "CancelFlowRun", "ChangeFlowRunState", "CompoundTrigger", "DeleteFlowRun", "DoNothing",
        "EventTrigger", "Metric", "MetricTrigger", "MetricTriggerQuery", "PauseAutomation", "PauseDeployment",
        "PauseSchedule", "PauseWorkPool", "PauseWorkQueue", "Posture", "ResumeAutomation", "ResumeDeployment",
        "ResumeFlowRun", "ResumeSchedule", "ResumeWorkPool", "ResumeWorkQueue", "RunDeployment", "SendEmailNotification",
        "SendNotification", "SequenceTrigger", "SuspendFlowRun",
    ],
    "headrace.blocks.abstract": [
        "CredentialsBlock", "DatabaseBlock", "JobBlock", "JobRun", "NotificationBlock", "NotificationError",
        "ObjectStorageBlock", "SecretBlock",
    ],
    "headrace.blocks.core": ["Block"],
    "headrace.blocks.email": ["EmailServerCredentials"],
    "headrace.blocks.fields": ["SecretDict"],
    "headrace.blocks.notifications": [
        "AppriseNotificationBlock", "CustomWebhookNotificationBlock", "DiscordWebhook", "MattermostWebhook",
        "MicrosoftTeamsWebhook", "OpsgenieWebhook", "PagerDutyWebHook", "SendgridEmail", "SlackWebhook", "SmtpEmail",
        "TwilioSMS",
    ],
    "headrace.blocks.system": ["Secret"],
    "headrace.blocks.webhook": ["Webhook"],
    "headrace.cache_policies": [
        "CacheKeyFnPolicy", "CachePolicy", "CompoundCachePolicy", "DEFAULT", "FLOW_PARAMETERS", "FlowParameters", "INPUTS",
        "Inputs", "NONE", "NO_CACHE", "RUN_ID", "RunId", "TASK_SOURCE", "TaskSource",
    ],
    "headrace.clients": ["AsyncClient", "Client", "get_client"],
    "headrace.concurrency": ["ConcurrencyLeaseHolder"],
    "headrace.concurrency.asyncio": ["concurrency", "rate_limit"],
    "headrace.concurrency.sync": ["concurrency", "rate_limit"],
    "headrace.context": [
        "FlowRunContext", "TaskRunContext", "current_flow_run", "current_run", "current_task_run", "tags",
    ],
    "headrace.deployments": [
        "ConcurrencyLimitConfig", "EntrypointType", "arun_deployment", "aserve", "deploy", "run_deployment", "serve",
    ],
    "headrace.drawings": ["Drawing", "Graph", "Need", "Step"],
    "headrace.events": [
        "CallWebhook", "CancelFlowRun", "ChangeFlowRunState", "CompoundTrigger", "DeleteFlowRun", "DeploymentCompoundTrigger",
        "DeploymentEventTrigger", "DeploymentMetricTrigger", "DeploymentSequenceTrigger", "DoNothing", "Event",
        "EventFilter", "EventSubscriber", "EventTrigger", "EventsClient", "FlowRunSubscriber", "Metric", "MetricTrigger",
        "MetricTriggerQuery", "PauseAutomation", "PauseDeployment", "PauseSchedule", "PauseWorkPool", "PauseWorkQueue",
        "Posture", "ReceivedEvent", "ResumeAutomation", "ResumeDeployment", "ResumeFlowRun", "ResumeSchedule",
        "ResumeWorkPool", "ResumeWorkQueue", "RunDeployment", "SendEmailNotification", "SendNotification", "SequenceTrigger",
        "SuspendFlowRun", "emit_event", "get_events_client", "get_events_subscriber",
    ],
    "headrace.exceptions": [
        "AcquireConcurrencySlotTimeoutError", "CancelledRun", "ConcurrencySlotAcquisitionError", "ConcurrencySlotError",
        "ConcurrencySlotLost", "ConfigurationError", "CrashedRun", "DatabaseBusy", "DatabaseError", "FailedRun",
        "FlowRunTimeoutError", "FlowRunWaitTimeout", "FlowVisualizationError", "GatewayError", "HeadraceError",
        "InvalidBlockRegistration", "InvalidNameError", "InvalidRequest", "LostFacts", "MappingLengthMismatch",
        "MappingMissingIterable", "MissingContextError", "MissingResult", "NewerSchema", "NotAuthorized",
        "ObjectAlreadyExists", "ObjectNotFound", "ParameterBindError", "ParameterTypeError", "PauseTimeoutError",
        "PausedRun", "ReservedArgumentError", "RunError", "SerializationError", "StaleEpoch", "TaskRunTimeoutError",
        "Unavailable", "UnfinishedRun", "UnknownBlockType", "UnknownSetting", "UnusableDatabase", "UpstreamFailed",
        "UsageError",
    ],
    "headrace.filesystems": [
        "LocalFileSystem", "ReadableFileSystem", "RemoteFileSystem", "WritableDeploymentStorage", "WritableFileSystem",
    ],
    "headrace.flow_runs": [
        "apause_flow_run", "aresume_flow_run", "asuspend_flow_run", "await_for_flow_run", "pause_flow_run", "resume_flow_run",
        "suspend_flow_run", "wait_for_flow_run",
    ],
    "headrace.flows": ["Flow", "flow"],
    "headrace.futures": [
        "DistributedFuture", "Future", "FutureList", "as_completed", "resolve_futures_to_results",
        "resolve_futures_to_states", "wait",
    ],
    "headrace.input": [
        "InputReceiver", "ReceivedInput", "RunInput", "RunInputMetadata", "acreate_flow_run_input",
        "adelete_flow_run_input", "afilter_flow_run_input", "aread_flow_run_input", "asend_input",
        "create_flow_run_input", "delete_flow_run_input", "filter_flow_run_input", "keyset_from_base_key",
        "keyset_from_paused_state", "read_flow_run_input", "receive_input", "send_input",
    ],
    "headrace.locking": ["FileSystemLockManager", "LockManager", "MemoryLockManager"],
    "headrace.locking.filesystem": ["FileSystemLockManager"],
    "headrace.locking.memory": ["MemoryLockManager"],
    "headrace.logging": ["LogEavesdropper", "disable_run_logger", "get_logger", "get_run_logger"],
    "headrace.runner.storage": ["GitRepository", "LocalStorage", "create_storage_from_source"],
    "headrace.schedules": ["Cron", "Interval", "RRule", "Schedule"],
    "headrace.serializers": [
        "CompressedJSONSerializer", "CompressedPickleSerializer", "CompressedSerializer", "JSONSerializer", "PickleSerializer",
        "Serializer",
    ],
    "headrace.settings": [
        "Profiles", "SETTINGS", "Setting", "Settings", "get_current_settings", "load_profiles", "temporary_settings",
        "use_profile",
    ],
    "headrace.states": [
        "AwaitingConcurrencySlot", "AwaitingRetry", "Cached", "Cancelled", "Cancelling", "Completed", "Crashed",
        "Failed", "InfrastructurePending", "Late", "Paused", "Pending", "Retrying", "Running", "Scheduled", "State",
        "StateDetails", "StateGroup", "StateType", "Submitting", "Suspended", "exception_to_crashed_state",
        "exception_to_failed_state", "get_state_exception", "get_state_result", "is_state", "is_state_iterable",
        "raise_state_exception", "return_value_to_state",
    ],
    "headrace.task_runners": [
        "ConcurrentTaskRunner", "HeadraceTaskRunner", "ProcessPoolTaskRunner", "RemoteTaskRunner", "TaskRunner",
        "ThreadPoolTaskRunner", "Work", "WorkerDied", "execute",
    ],
    "headrace.transactions": [
        "AsyncTransaction", "CommitMode", "IsolationLevel", "Transaction", "TransactionState", "atransaction",
        "get_transaction", "transaction",
    ],
    "headrace.task_worker": ["TaskWorker", "aserve", "serve"],
    "headrace.tasks": ["Task", "exponential_backoff", "task", "task_input_hash"],
    "headrace.variables": ["Variable"],
}  # fmt: skip

INNER = {"__main__", "connect"}
"""Modules beside the public ones that nobody imports."""

FOLDERS = {
    "headrace.blocks.abstract",
    "headrace.blocks.core",
    "headrace.blocks.email",
    "headrace.blocks.fields",
    "headrace.blocks.notifications",
    "headrace.blocks.system",
    "headrace.blocks.webhook",
    "headrace.clients",
    "headrace.deployments",
    "headrace.drawings",
    "headrace.events",
    "headrace.input",
    "headrace.runner.storage",
}
"""Public modules that have a folder of their own."""


PACKAGES = {"concurrency", "locking"}
"""Public modules that have modules of their own."""


# names


@pytest.mark.parametrize("module", NAMES)
def test_the_names_of_a_public_module_are_these(module: str) -> None:
    public = import_module(module)
    assert sorted(public.__all__) == NAMES[module]
    assert all(hasattr(public, name) for name in NAMES[module])


def test_every_public_module_is_listed() -> None:
    folder = Path(headrace.__path__[0])
    modules = {path.stem for path in folder.glob("*.py")} - INNER - {"__init__"}
    packages = {
        ".".join(path.relative_to(folder.parent).with_suffix("").parts).removesuffix(".__init__")
        for package in PACKAGES
        for path in (folder / package).glob("*.py")
    }
    assert {f"headrace.{module}" for module in modules} | {"headrace"} | packages | FOLDERS == set(NAMES)


def test_the_front_door_says_what_it_has() -> None:
    assert dir(headrace) == NAMES["headrace"]
    with pytest.raises(AttributeError, match="module 'headrace' has no attribute 'flows_'"):
        headrace.flows_  # type: ignore[attr-defined]  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue]


def test_the_front_door_gives_what_the_modules_have() -> None:
    assert headrace.flow is flow
    assert headrace.Flow is Flow
    assert headrace.State is states.State


DEFINING = """
import sys

before = set(sys.modules)
from headrace import flow, task

@task(retries=2, retry_delay_seconds=[1, 2], tags=["etl"])
def load(path: str) -> int: ...

@flow(name="etl", on_failure=[print], timeout_seconds=60)
def etl(path: str = "data"):
    load(path)

print(*sorted(set(sys.modules) - before))
"""

DEFINITIONS = {
    "headrace", "headrace.base", "headrace.base.errors", "headrace.connect", "headrace.engine", "headrace.engine.caching",
    "headrace.engine.digests", "headrace.engine.doors", "headrace.engine.flow_definition", "headrace.engine.isolation",
    "headrace.engine.kinds", "headrace.engine.locking", "headrace.engine.naming", "headrace.engine.opening",
    "headrace.engine.options", "headrace.engine.parameters", "headrace.engine.references", "headrace.engine.runner",
    "headrace.engine.serializers", "headrace.engine.sources", "headrace.engine.task_definition", "headrace.flows",
    "headrace.rules", "headrace.rules.retries", "headrace.tasks",
}  # fmt: skip
"""The modules of ours that a script of flows and tasks loads before it runs one."""

COSTLY = {
    "alembic", "asyncio", "cloudpickle", "concurrent", "hashlib", "httptools", "ipaddress", "json", "litestar",
    "logging", "msgspec", "pathlib", "pickle", "platform", "psycopg", "pydantic", "queue", "random", "socket", "sqlalchemy",
    "sqlite3", "subprocess", "threading", "typing_extensions", "urllib", "uuid",
}  # fmt: skip
"""What takes long to load, and is of use only to what runs."""


def test_what_defines_flows_and_tasks_loads_nothing_that_runs_them() -> None:
    done = subprocess.run([sys.executable, "-c", DEFINING], capture_output=True, text=True, check=True, timeout=60)
    loaded = done.stdout.split()
    assert {name for name in loaded if name.startswith("headrace")} == DEFINITIONS
    assert {name.partition(".")[0] for name in loaded} & COSTLY == set()


def test_every_error_of_the_tree_is_public() -> None:
    tree = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert tree <= set(exceptions.__all__)


def test_decorators_take_options_or_none() -> None:
    def load() -> None: ...

    for made in (flow(load), flow(name="load")(load)):
        assert isinstance(made, Flow)
        assert made.name == "load"
    for made in (task(load), task(name="load")(load)):
        assert isinstance(made, Task)
        assert made.name == "load"


def test_inputs_can_key_a_call() -> None:
    class Context:
        task = task(name="load")(print)

    one = task_input_hash(Context, {"a": 1})
    assert one == task_input_hash(Context, {"a": 1}) != task_input_hash(Context, {"a": 2})


# states


@pytest.mark.parametrize(
    ("make", "kind", "name"),
    [
        (states.Scheduled, StateType.SCHEDULED, "Scheduled"),
        (states.Late, StateType.SCHEDULED, "Late"),
        (states.AwaitingRetry, StateType.SCHEDULED, "AwaitingRetry"),
        (states.Pending, StateType.PENDING, "Pending"),
        (states.AwaitingConcurrencySlot, StateType.SCHEDULED, "AwaitingConcurrencySlot"),
        (states.Submitting, StateType.PENDING, "Submitting"),
        (states.InfrastructurePending, StateType.PENDING, "InfrastructurePending"),
        (states.Running, StateType.RUNNING, "Running"),
        (states.Retrying, StateType.RUNNING, "Retrying"),
        (states.Completed, StateType.COMPLETED, "Completed"),
        (states.Cached, StateType.COMPLETED, "Cached"),
        (states.Failed, StateType.FAILED, "Failed"),
        (states.Crashed, StateType.CRASHED, "Crashed"),
        (states.Cancelling, StateType.CANCELLING, "Cancelling"),
        (states.Cancelled, StateType.CANCELLED, "Cancelled"),
        (states.Paused, StateType.PAUSED, "Paused"),
        (states.Suspended, StateType.PAUSED, "Suspended"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_states_are_made_with_type_name_message_and_time(
    make: Callable[..., State], kind: StateType, name: str
) -> None:
    with frozen_clock(0):
        state = make(message="because")
    assert (state.type, state.name, state.message) == (kind, name, "because")
    assert state.timestamp == datetime(1970, 1, 1, tzinfo=UTC)


def test_times_of_states() -> None:
    then = datetime(2026, 3, 1, tzinfo=UTC)
    with frozen_clock(0):
        assert states.Scheduled().state_details.scheduled_time == datetime(1970, 1, 1, tzinfo=UTC)
        assert states.Scheduled(then).state_details.scheduled_time == then
        assert states.Paused().state_details.pause_timeout is None
        limited = states.Paused(timeout_seconds=60).state_details
    assert limited.pause_timeout == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=1)
    assert states.Suspended().state_details.pause_reschedule


def test_states_carry_values_and_errors() -> None:
    error = ValueError("no such file")
    assert states.Completed(data=[3]).result() == [3]
    assert states.Completed().result() is None
    assert states.Failed(data=error).result(raise_on_failure=False) is error
    said: Any = "no such file"
    assert str(states.Failed(data=said).result(raise_on_failure=False)) == "no such file"
    for make in (states.Completed, states.Failed, states.Crashed, states.Cancelled, states.Cancelling):
        assert make(name="Skipped").name == "Skipped"


def test_states_can_be_put_into_sets() -> None:
    failed = states.Failed("no such file")
    assert len({failed, failed, states.Completed()}) == 2
