"""docs/names.md says which of the field's names are here, and tells the truth."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from headrace import flow, task
from headrace.cache_policies import INPUTS
from headrace.deployments.making import DeploymentOptions, PooledOptions
from headrace.deployments.running import RunOptions
from headrace.engine.flow_definition import FlowOptions
from headrace.engine.task_definition import TaskOptions
from headrace.exceptions import UsageError
from headrace.task_runners import ThreadPoolTaskRunner
from tests.unit.test_public import NAMES

PAGE = (Path(__file__).parents[2] / "docs" / "names.md").read_text(encoding="utf-8")

OPTIONS = {
    "headrace.deployments.run_deployment": RunOptions,
    "headrace.flow": FlowOptions,
    "headrace.flows.Flow.deploy": PooledOptions,
    "headrace.flows.Flow.serve": DeploymentOptions,
    "headrace.task": TaskOptions,
}
"""What those take that take options by name."""


def hook(*_: Any) -> None:
    """A hook of any kind."""


def make_key(*_: Any) -> str:
    """A cache key."""
    return "key"


def decide(*_: Any) -> bool:
    """Whether to try again."""
    return True


EXAMPLES: dict[str, Any] = {
    "durable": True, "on_crash": "resume", "max_resumes": 1,
    "name": "load", "description": "Loads", "version": "2", "tags": ["a"], "flow_run_name": "run", "task_run_name": "run",
    "cache_policy": INPUTS, "cache_key_fn": make_key, "cache_expiration": timedelta(days=1),
    "refresh_cache": True, "retries": 2, "retry_delay_seconds": 1.5, "retry_jitter_factor": 0.5,
    "retry_condition_fn": decide, "task_runner": ThreadPoolTaskRunner(), "timeout_seconds": 60,
    "validate_parameters": False, "persist_result": True, "result_storage": "results", "result_serializer": "json",
    "result_storage_key": "key", "cache_result_in_memory": False, "log_prints": True, "on_completion": [hook],
    "on_failure": [hook], "on_cancellation": [hook], "on_crashed": [hook], "on_running": [hook], "on_rollback": [hook],
    "on_commit": [hook], "viz_return_value": 3, "asset_deps": ["s3://bucket/trips"],
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    name: str
    here: str
    state: str


def read_rows() -> list[Row]:
    """The rows of all tables."""
    rows: list[Row] = []
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and cells[0] != "name":
            assert len(cells) == 3, line
            rows.append(Row(cells[0], cells[1].strip("`"), cells[2].removesuffix(" |").strip()))
    return rows


def read_parameters() -> list[tuple[str, str]]:
    """Each parameter that is said to be taken, with what takes it."""
    found: list[tuple[str, str]] = []
    for section in re.split(r"^#+ ", PAGE, flags=re.MULTILINE):
        heading = re.match(r"Parameters of `([\w.]+)`\n", section)
        if heading is not None:
            taken = section[heading.end() :].partition("Not taken:")[0]
            found += [(heading[1], name) for name in re.findall(r"`(\w+)`", taken)]
    return found


ROWS = read_rows()
WORKING = [row for row in ROWS if re.match(r"(works|ours)\b", row.state)]
PARAMETERS = read_parameters()


def find(path: str) -> Any:
    """What a path means: a module, and attributes of it. Raises `LookupError`."""
    parts = path.split(".")
    for count in range(len(parts), 0, -1):
        try:
            value: Any = import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            if not hasattr(value, part):
                raise LookupError(f"{path}: {value!r} has no {part!r}.")
            value = getattr(value, part)
        return value
    raise LookupError(f"{path}: there is no such module.")


def test_the_page_has_tables() -> None:
    assert len(ROWS) > 200
    assert len(PARAMETERS) > 90
    assert len({row.name for row in ROWS}) == len(ROWS) - 1  # Transaction stands on top as well


@pytest.mark.parametrize("row", WORKING, ids=lambda row: row.here)
def test_what_works_is_there(row: Row) -> None:
    find(row.here)


@pytest.mark.parametrize("row", [row for row in ROWS if row not in WORKING], ids=lambda row: row.name)
def test_what_is_not_there_has_a_reason(row: Row) -> None:
    assert row.here == "–"
    reason = re.fullmatch(r"absent(?: until|:| as functions:) (.*)", row.state)
    assert reason is not None, row.state
    assert len(reason[1]) > 10


@pytest.mark.parametrize("module", sorted(NAMES.keys() - {"headrace.exceptions"}))
def test_no_public_name_is_left_out(module: str) -> None:
    listed = [find(row.here) for row in WORKING]
    # `Task` is there by what it can do; `locking` and others have names of their submodules.
    listed += [find(row.here.rpartition(".")[0]) for row in WORKING]
    names = {name: find(f"{module}.{name}") for name in NAMES[module] if name != "__version__"}
    assert [name for name, value in names.items() if not any(value is each for each in listed)] == []


def list_taken(taker: str) -> set[str]:
    """What it takes by name."""
    taken = {
        name
        for name, parameter in inspect.signature(find(taker)).parameters.items()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }
    options = OPTIONS.get(taker)
    return taken if options is None else taken | set(options.__annotations__)


@pytest.mark.parametrize(("taker", "name"), PARAMETERS)
def test_parameters_are_taken(taker: str, name: str) -> None:
    assert name in list_taken(taker)


@pytest.mark.parametrize("taker", sorted({taker for taker, _ in PARAMETERS}))
def test_no_parameter_is_left_out(taker: str) -> None:
    assert list_taken(taker) - {name for of, name in PARAMETERS if of == taker} <= {"self", "fn"}


@pytest.mark.parametrize(
    ("taker", "name"), [each for each in PARAMETERS if each[0] in ("headrace.flow", "headrace.task")]
)
def test_decorators_accept_their_parameters(taker: str, name: str) -> None:
    decorate: Any = flow if taker == "headrace.flow" else task
    made = decorate(**{name: EXAMPLES[name]})(hook_of_a_run)
    assert made.options == {name: EXAMPLES[name]}
    assert made.with_options(**{name: EXAMPLES[name]}).options == made.options


@pytest.mark.parametrize("decorate", [flow, task])
def test_decorators_refuse_what_is_none(decorate: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match="has no option 'color'"):
        decorate(color="blue")(hook_of_a_run)


def hook_of_a_run() -> None:
    """What is decorated."""
