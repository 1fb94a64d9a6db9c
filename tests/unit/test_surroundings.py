"""Settings that hold within a block, and the harness that tests of users have."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace import flow, get_run_logger, task
from headrace.context import current_flow_run
from headrace.engine.context import current
from headrace.engine.session import current_session, swap_session
from headrace.exceptions import ConfigurationError, MissingContextError, UnknownSetting
from headrace.logging import LogEavesdropper, disable_run_logger, get_logger
from headrace.runtime import deployment, flow_run, task_run
from headrace.serializers import CompressedJSONSerializer
from headrace.settings import get_current_settings, load_profiles, temporary_settings, use_profile
from headrace.testing import RecordingRun, RecordingSession, headrace_test_harness


@flow
def where() -> str:
    return current_flow_run().session.settings.database_url


def test_settings_hold_within_the_block(home: Path) -> None:
    before = swap_session(None)
    with temporary_settings({"HEADRACE_HOME": home / "other", "HEADRACE_LOGGING_LOG_PRINTS": True}) as settings:
        assert settings == get_current_settings()
        assert (settings.home, settings.logging_log_prints) == (home / "other", True)
        assert where().endswith("other/headrace.db")
    assert get_current_settings().home == home
    assert swap_session(before) is None
    assert not get_current_settings().logging_log_prints


def test_the_session_before_goes_on_afterwards() -> None:
    assert where().endswith("home/headrace.db")
    session = current_session()
    with temporary_settings({"HEADRACE_LOGGING_EXTRA_LOGGERS": ["a", "b"]}) as settings:
        assert settings.logging_extra_loggers == ("a", "b")
        where()
        assert current_session() is not session
    assert current_session() is session
    swap_session(None)
    session.close()


def test_settings_can_be_put_back_to_their_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_LOGGING_LEVEL", "ERROR")
    with temporary_settings(restore_defaults=["HEADRACE_LOGGING_LEVEL"]) as settings:
        assert settings.logging_level == "INFO"
    with temporary_settings({"HEADRACE_LOGGING_LEVEL": None}) as settings:
        assert settings.logging_level == "INFO"
    assert os.environ["HEADRACE_LOGGING_LEVEL"] == "ERROR"


def test_what_cannot_be_a_setting_changes_nothing() -> None:
    before = dict(os.environ)
    with (
        pytest.raises(UnknownSetting, match="did you mean HEADRACE_API_URL"),
        temporary_settings({"HEADRACE_API_URI": "x"}),
    ):
        raise AssertionError
    with (
        pytest.raises(ConfigurationError, match="is no address of an API"),
        temporary_settings({"HEADRACE_API_URL": "x", "HEADRACE_DEBUG": "yes"}),
    ):
        raise AssertionError
    assert dict(os.environ) == before


def test_profiles(home: Path) -> None:
    home.mkdir()
    (home / "profiles.toml").write_text('[profiles.staging]\nHEADRACE_LOGGING_LEVEL = "ERROR"\n')
    assert load_profiles().profiles["staging"] == {"HEADRACE_LOGGING_LEVEL": "ERROR"}
    with use_profile("staging") as settings:
        assert (settings.profile, settings.logging_level) == ("staging", "ERROR")
    with pytest.raises(ConfigurationError, match="There is no profile 'production'"), use_profile("production"):
        raise AssertionError


def test_the_harness_has_a_database_of_its_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_API_URL", "http://127.0.0.1:1/api")
    before = swap_session(None)
    with headrace_test_harness():
        url = where()
        folder = get_current_settings().home
        assert folder.is_dir()
    assert str(folder) in url
    assert not folder.exists()
    assert not home.exists()
    assert swap_session(before) is None


# loggers


def test_functions_of_flows_and_tasks_can_be_called_without_a_run() -> None:
    @task
    def load() -> int:
        get_run_logger().info("loads")
        return 3

    with pytest.raises(MissingContextError):
        load.fn()
    with LogEavesdropper("headrace.flow_runs") as heard, disable_run_logger():
        assert load.fn() == 3
    assert heard.text() == ""
    with pytest.raises(MissingContextError):
        load.fn()


def test_what_a_logger_says_can_be_heard() -> None:
    logger = get_logger("heard")
    logger.setLevel("DEBUG")
    with LogEavesdropper("headrace.heard", level=20) as heard:
        logger.debug("no")
        logger.info("%d rows", 3)
        logger.error("gone")
    logger.error("later")
    assert heard.text() == "[INFO]: 3 rows\n[ERROR]: gone"


# what is known at run time


@pytest.mark.usefixtures("recorded")
def test_addresses_and_deployments_are_none_without_server_and_deployment() -> None:
    @task(result_serializer=CompressedJSONSerializer(), persist_result=True)
    def inner() -> list[str | None]:
        return [task_run.api_url, task_run.ui_url]

    @flow
    def outer() -> list[str | None]:
        return [
            *inner(),
            flow_run.api_url,
            flow_run.ui_url,
            flow_run.parent_deployment_id,
            deployment.id,
            deployment.name,
        ]

    assert outer() == [None] * 7
    assert deployment.parameters == {}
    with pytest.raises(AttributeError, match="A deployment has no runtime attribute 'nmae'"):
        deployment.nmae  # noqa: B018


@pytest.mark.parametrize(
    ("told", "pages"), [({}, "http://127.0.0.1:4200"), ({"HEADRACE_UI_URL": "https://pages"}, "https://pages")]
)
def test_addresses_are_those_of_the_server(told: dict[str, str], pages: str) -> None:
    with temporary_settings({"HEADRACE_API_URL": "http://127.0.0.1:4200/api", **told}) as settings:
        run = RecordingRun(RecordingSession(settings))
    token = current.set(run.context)
    try:
        number = flow_run.id
        assert flow_run.api_url == f"http://127.0.0.1:4200/api/flow_runs/{number}"
        assert flow_run.ui_url == f"{pages}/runs/{number}"
    finally:
        current.reset(token)


@pytest.fixture
def recorded() -> Iterator[None]:
    before = swap_session(None)
    with headrace_test_harness():
        yield
    swap_session(before)
