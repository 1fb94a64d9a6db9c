"""The public interface: its names are frozen here, and what the thin modules do themselves is tested here."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import headrace
from headrace import Task, artifacts, exceptions, flow, states, task
from headrace.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from headrace.base import errors
from headrace.engine.session import swap_session
from headrace.flows import Flow
from headrace.schema.fact import ArtifactFact
from headrace.schema.state import State, StateType
from headrace.tasks import task_input_hash
from headrace.testing import RecordingSession, frozen_clock

NAMES = {
    "headrace": [
        "Flow", "State", "Task", "__version__", "allow_failure", "apause_flow_run", "aresume_flow_run", "asuspend_flow_run",
        "flow", "get_run_logger", "pause_flow_run", "quote", "resume_flow_run", "suspend_flow_run", "tags", "task", "unmapped",
    ],
    "headrace.artifacts": ["create_link_artifact", "create_markdown_artifact", "create_table_artifact"],
    "headrace.cache_policies": [
        "CacheKeyFnPolicy", "CachePolicy", "DEFAULT", "FLOW_PARAMETERS", "INPUTS", "NONE", "NO_CACHE", "RUN_ID", "TASK_SOURCE",
    ],
    "headrace.context": [
        "FlowRunContext", "TaskRunContext", "current_flow_run", "current_run", "current_task_run", "tags",
    ],
    "headrace.exceptions": [
        "CancelledRun", "ConfigurationError", "CrashedRun", "DatabaseBusy", "DatabaseError", "FailedRun", "FlowRunTimeoutError",
        "GatewayError", "HeadraceError", "InvalidRequest", "LostFacts", "MissingContextError", "MissingResult", "NewerSchema",
        "NotAuthorized", "ObjectAlreadyExists", "ObjectNotFound", "ParameterBindError", "ParameterTypeError",
        "PauseTimeoutError", "PausedRun", "RunError", "SerializationError", "StaleEpoch", "TaskRunTimeoutError", "Unavailable",
        "UnfinishedRun", "UnknownSetting", "UnusableDatabase", "UpstreamFailed", "UsageError",
    ],
    "headrace.flow_runs": [
        "apause_flow_run", "aresume_flow_run", "asuspend_flow_run", "pause_flow_run", "resume_flow_run", "suspend_flow_run",
    ],
    "headrace.flows": ["Flow", "flow"],
    "headrace.futures": ["Future", "FutureList", "as_completed", "wait"],
    "headrace.input": ["RunInput"],
    "headrace.logging": ["get_logger", "get_run_logger"],
    "headrace.states": [
        "AwaitingRetry", "Cached", "Cancelled", "Cancelling", "Completed", "Crashed", "Failed", "Late", "Paused", "Pending",
        "Retrying", "Running", "Scheduled", "State", "StateDetails", "StateType", "Suspended",
    ],
    "headrace.task_runners": ["ConcurrentTaskRunner", "TaskRunner", "ThreadPoolTaskRunner"],
    "headrace.transactions": [
        "AsyncTransaction", "CommitMode", "IsolationLevel", "Transaction", "TransactionState", "atransaction",
        "get_transaction", "transaction",
    ],
    "headrace.tasks": ["Task", "exponential_backoff", "task", "task_input_hash"],
}  # fmt: skip

INNER = {"__main__", "connect"}
"""Modules beside the public ones that nobody imports."""


# names


@pytest.mark.parametrize("module", NAMES)
def test_the_names_of_a_public_module_are_these(module: str) -> None:
    public = import_module(module)
    assert sorted(public.__all__) == NAMES[module]
    assert all(hasattr(public, name) for name in NAMES[module])


def test_every_public_module_is_listed() -> None:
    folder = Path(headrace.__path__[0])
    modules = {path.stem for path in folder.glob("*.py")} - INNER - {"__init__"}
    assert {f"headrace.{module}" for module in modules} | {"headrace"} == set(NAMES)


def test_the_front_door_says_what_it_has() -> None:
    assert dir(headrace) == NAMES["headrace"]
    with pytest.raises(AttributeError, match="module 'headrace' has no attribute 'flows_'"):
        headrace.flows_  # type: ignore[attr-defined]  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue]


def test_the_front_door_gives_what_the_modules_have() -> None:
    assert headrace.flow is flow
    assert headrace.Flow is Flow
    assert headrace.State is states.State


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
    assert states.Completed(name="Skipped").name == "Skipped"


# artifacts


@pytest.fixture
def session(home: object) -> Any:
    session = RecordingSession()
    before = swap_session(session)
    yield session
    swap_session(before)


def left(session: RecordingSession) -> ArtifactFact:
    (fact,) = session.facts
    assert isinstance(fact, ArtifactFact)
    return fact


def test_markdown_may_be_indented_like_a_docstring(session: RecordingSession) -> None:
    rmse = 6.5
    made = create_markdown_artifact(
        f"""
        # Report

        | Region | RMSE |
        |:-------|-----:|
        |     NY | {rmse} |
        """,
        key="duration-model-report",
        description="of the model",
    )
    fact = left(session)
    assert (fact.id, fact.type, fact.key, fact.description) == (
        made,
        "markdown",
        "duration-model-report",
        "of the model",
    )
    assert fact.data == "# Report\n\n| Region | RMSE |\n|:-------|-----:|\n|     NY | 6.5 |"
    assert (fact.flow_run_id, fact.task_run_id) == (None, None)


def test_artifacts_belong_to_the_run_that_leaves_them(session: RecordingSession) -> None:
    from headrace.engine.context import current
    from headrace.testing import RecordingRun

    run = RecordingRun(session).context
    token = current.set(run)
    try:
        create_link_artifact("https://example.org")
    finally:
        current.reset(token)
    assert left(session).flow_run_id == run.flow_run_id


@pytest.mark.parametrize("key", ["a", "report-2", "2021-01"])
def test_keys_are_letters_digits_and_dashes(key: str, session: RecordingSession) -> None:
    assert isinstance(create_link_artifact("https://example.org", key=key), UUID)
    assert left(session).key == key


@pytest.mark.parametrize("key", ["", "Report", "my_report", "-a", "a-", "a--b", "a b", "é", "a\n"])
@pytest.mark.parametrize("create", [create_markdown_artifact, create_table_artifact, create_link_artifact])
def test_other_keys_are_refused(key: str, create: Callable[..., UUID], session: RecordingSession) -> None:
    with pytest.raises(errors.UsageError, match="use lower-case letters, digits and dashes"):
        create([], key=key) if create is create_table_artifact else create("text", key=key)
    assert not session.facts


@pytest.mark.parametrize("field", ["key", "description"])
def test_keys_and_descriptions_are_texts(field: str, session: RecordingSession) -> None:
    options: Any = {field: 3}
    with pytest.raises(errors.UsageError, match=f"An artifact's {field} must be a text, not 3"):
        create_markdown_artifact("# Report", **options)


@pytest.mark.parametrize(
    ("link", "text", "shown"),
    [
        ("https://x.org", None, "[https://x.org](https://x.org)"),
        ("https://x.org", "the model", "[the model](https://x.org)"),
    ],
)
def test_links_are_shown_by_their_text(link: str, text: str | None, shown: str, session: RecordingSession) -> None:
    create_link_artifact(link, text)
    assert left(session).data == shown


@pytest.mark.parametrize(
    ("table", "stored"),
    [
        ([{"a": 1, "b": float("nan")}], [{"a": 1, "b": None}]),
        ([[1, float("inf")], ["x", None]], [[1, None], ["x", None]]),
        ({"a": [1.5, float("-inf")], "b": (1, 2)}, {"a": [1.5, None], "b": [1, 2]}),
        ([{"caf\udce9": "half \ud83d"}], [{"caf?": "half ?"}]),
        ([], []),
        ({}, {}),
    ],
    ids=["rows", "lists", "columns", "no text", "no rows", "no columns"],
)
def test_tables_are_rows_or_columns_and_have_no_nan(table: Any, stored: Any, session: RecordingSession) -> None:
    create_table_artifact(table, "table")
    assert json.loads(left(session).data) == stored


def test_a_markdown_that_is_too_long_is_cut_and_says_so(
    session: RecordingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "LIMIT", 10)
    create_markdown_artifact("0123456789abc")
    assert left(session).data == "0123456789\n… (cut: 13 characters)"


@pytest.mark.parametrize(
    "table",
    [[{"n": number} for number in range(100)], [[number] for number in range(100)], {"n": [*range(100)], "m": [1]}],
    ids=["rows", "lists", "columns"],
)
def test_a_table_that_is_too_long_is_cut_by_rows_and_says_so(
    table: Any, session: RecordingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "LIMIT", 200)
    create_table_artifact(table, description="numbers")
    fact = left(session)
    kept = json.loads(fact.data)
    rows = len(kept["n"] if isinstance(kept, dict) else kept)  # pyright: ignore[reportUnknownArgumentType]
    assert 0 < rows < 100
    assert len(fact.data) <= 200
    assert fact.description == f"numbers (cut: {rows} of 100 rows)"


def test_a_row_that_is_too_long_leaves_none(session: RecordingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "LIMIT", 10)
    create_table_artifact([{"text": "x" * 100}])
    fact = left(session)
    assert (fact.data, fact.description) == ("[]", "(cut: 0 of 1 rows)")
