"""What options may say: what could not be recorded is refused where it is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headrace import flow, task
from headrace.artifacts import create_markdown_artifact
from headrace.base import clock
from headrace.base.ids import uuid7
from headrace.cache_policies import INPUTS
from headrace.engine.logs import describe_error
from headrace.exceptions import UsageError
from headrace.schema.fact import ArtifactFact
from tests.unit.engine.conftest import Stage

pytestmark = pytest.mark.usefixtures("quiet_logging")


def nothing() -> None:
    """Do nothing."""


class Speechless(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise Speechless


@pytest.mark.parametrize(
    "options",
    [
        {"name": 5},
        {"version": 1},
        {"retry_delay_seconds": float("nan")},
        {"retry_delay_seconds": float("inf")},
        {"timeout_seconds": float("nan")},
        {"timeout_seconds": -1},
    ],
)
def test_options_that_could_not_be_recorded_are_refused_by_both(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        flow(**options)(nothing)
    with pytest.raises(UsageError):
        task(**options)(nothing)


@pytest.mark.parametrize("options", [{"tags": ["a", 1]}, {"cache_expiration": 5}])
def test_options_of_tasks_that_could_not_be_recorded_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        task(**options)(nothing)


@pytest.mark.parametrize("seconds", [0, float("inf")])
def test_no_limit_is_no_limit(seconds: float) -> None:
    assert flow(timeout_seconds=seconds)(nothing).timeout_seconds is None
    assert task(timeout_seconds=seconds)(nothing).timeout_seconds is None


def test_a_limit_is_a_number() -> None:
    assert task(timeout_seconds=2)(nothing).timeout_seconds == 2.0


def test_whole_seconds_are_a_delay(stage: Stage) -> None:
    assert flow(retries=1, retry_delay_seconds=1)(nothing)(return_state=True).is_completed()
    recorder = stage.settle()
    policy = recorder.gateway.read_flow_run(recorder.flow_runs()[0]).empirical_policy
    assert (policy.retry_delay, policy.retry_delay_seconds) == (1, 1.0)


def test_a_key_that_is_no_text_makes_no_key_and_harms_nobody(stage: Stage) -> None:
    number: Any = 5
    keyed = task(cache_key_fn=lambda _context, _inputs: number)(nothing)
    assert keyed(return_state=True).is_completed()
    stage.settle()


def test_a_value_can_be_kept_until_the_end_of_time(stage: Stage) -> None:
    @task(cache_policy=INPUTS, cache_expiration=timedelta.max)
    def kept(number: int) -> int:
        return number

    assert kept(1) == kept(1) == 1
    stage.settle()
    assert clock.to_datetime(clock.LATEST) == datetime.max.replace(tzinfo=UTC)


def test_an_artifact_is_described_by_a_text(stage: Stage) -> None:
    number: Any = 5
    with pytest.raises(UsageError, match="description"):
        create_markdown_artifact("text", description=number)
    stage.settle()


def test_an_error_that_cannot_be_shown_fails_its_run_and_is_tried_again(stage: Stage) -> None:
    tries: list[int] = []

    @task(retries=1)
    def fail() -> None:
        tries.append(1)
        raise Speechless

    assert describe_error(Speechless()) == "Speechless: (it cannot be shown)"
    with pytest.raises(Speechless):
        fail()
    assert len(tries) == 2


def test_a_proposal_goes_through_although_a_fact_before_it_cannot_be_recorded(stage: Stage) -> None:
    number: Any = 5

    @flow
    def leave() -> None:
        stage.session.emit(ArtifactFact(uuid7(), None, "markdown", number, "text", 0))

    assert leave(return_state=True).is_completed()
    assert any("could not be recorded" in message for message in stage.settle().messages())
