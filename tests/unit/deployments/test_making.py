"""Deployments as code says them: made as a project file would make them, refused in one line."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from headrace import deploy, flow
from headrace.base.errors import ObjectNotFound, UsageError
from headrace.deployments import ConcurrencyLimitConfig, EntrypointType
from headrace.runner.storage import GitRepository
from headrace.schedules import Cron, RRule
from headrace.schema.work_pool import WorkPoolCreate, WorkQueueCreate
from tests.unit.deployments.conftest import Bench
from tests.unit.outbound.repositories import make_repository

STEPS = "headrace.deployments.steps."


def test_a_deployment_is_made_as_the_code_says(bench: Bench) -> None:
    bench.administration.create_work_queue("local", WorkQueueCreate(name="fast"))
    made = bench.read(
        bench.etl.deploy(
            "daily",
            work_pool_name="local",
            work_queue_name="fast",
            job_variables={"env": {"A": "b"}},
            cron=["0 6 * * *", "0 18 * * *"],
            interval=timedelta(hours=1),
            rrule="FREQ=DAILY",
            schedule=Cron("0 3 * * *", timezone="Europe/Berlin", slug="night"),
            schedules=[RRule("FREQ=WEEKLY", active=False, parameters={"rows": 9})],
            paused=True,
            parameters={"rows": 2, "names": [date(2026, 1, 31)]},
            tags=("one", "two"),
            description="Each day.",
            version="2.0",
            version_type="mine",
            concurrency_limit=ConcurrencyLimitConfig(limit=3, collision_strategy="CANCEL_NEW"),
            print_next_steps=False,
        )
    )
    assert (made.name, made.work_pool_name, made.work_queue_name) == ("daily", "local", "fast")
    assert (made.entrypoint, made.pull_steps) == (
        "flows_of_bench.py:etl",
        [{f"{STEPS}set_working_directory": {"directory": str(bench.folder)}}],
    )
    assert (made.job_variables, made.parameters) == ({"env": {"A": "b"}}, {"rows": 2, "names": ["2026-01-31"]})
    assert (made.tags, made.description, made.version, made.paused) == (["one", "two"], "Each day.", "2.0", True)
    assert made.version_info == {"type": "mine", "version": "2.0"}
    assert (made.concurrency_limit, made.enforce_parameter_schema) == (3, True)
    assert made.concurrency_options
    assert made.concurrency_options.collision_strategy == "CANCEL_NEW"
    said = {each.schedule.cron or each.schedule.rrule or each.schedule.interval for each in made.schedules}
    assert said == {"0 6 * * *", "0 18 * * *", "0 3 * * *", 3600.0, "FREQ=DAILY", "FREQ=WEEKLY"}
    assert [each.parameters for each in made.schedules if not each.active] == [{"rows": 9}]
    assert made.parameter_openapi_schema
    assert "rows" in made.parameter_openapi_schema["properties"]


def test_what_is_not_said_follows_from_the_flow_and_from_what_there_is(bench: Bench) -> None:
    first = bench.etl.deploy("daily", cron="0 6 * * *", paused=True, print_next_steps=False)
    assert bench.etl.deploy("daily", print_next_steps=False) == first
    made = bench.read(first)
    assert (made.work_pool_name, made.description, made.version) == ("local", "Loads rows.", "7")
    assert (len(made.schedules), made.paused, made.parameters) == (1, True, {})
    bench.etl.deploy("daily", schedules=[], paused=False, print_next_steps=False)
    assert (bench.read(first).schedules, bench.read(first).paused) == ([], False)


def test_several_are_deployed_to_pools_of_their_own_or_the_one_that_is_named(bench: Bench) -> None:
    bench.administration.create_work_pool(WorkPoolCreate(name="other"))
    own = bench.etl.to_deployment("own", work_pool_name="other", entrypoint_type=EntrypointType.MODULE_PATH)
    named = bench.needy.to_deployment("named", concurrency_limit=2, enforce_parameter_schema=False)
    made = [bench.read(each) for each in deploy(own, named, work_pool_name="local", print_next_steps_message=False)]
    assert [each.work_pool_name for each in made] == ["other", "local"]
    assert [each.entrypoint for each in made] == ["flows_of_bench:etl", "flows_of_bench.py:needy"]
    assert (made[1].concurrency_limit, made[1].enforce_parameter_schema) == (2, False)


def test_what_comes_next_is_told(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    deploy(bench.etl.to_deployment("daily"), bench.needy.to_deployment("now and then", cron="@daily"))
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "Deployed etl/daily to the work pool local (process).",
        "Deployed needy/now and then to the work pool local (process).",
        "",
        "Next",
        "  headrace worker start --pool local",
        "  headrace deployment run etl/daily",
        "  headrace deployment run 'needy/now and then'",
    ]
    assert said.err.startswith(
        "Warning: Scheduled runs of 'now and then' will lack parameters that the flow needs: rows"
    )
    bench.etl.deploy("daily")
    assert capsys.readouterr().out.startswith("Deployed anew etl/daily to")


REFUSED: list[tuple[Callable[[Any], Any], str]] = [
    (lambda b: b.etl.deploy("x", image="team/image:1"), "image: Headrace builds and pushes no images"),
    (lambda b: b.etl.deploy("x", build=True), "build: Headrace builds and pushes no images"),
    (lambda b: b.etl.deploy("x", push=True), "push: Headrace builds and pushes no images"),
    (
        lambda b: b.etl.deploy("x", "nowhere"),
        "Deployment 'x': there is no work pool 'nowhere'; this makes it: headrace",
    ),
    (
        lambda b: b.etl.deploy("x", work_queue_name="q"),
        "Deployment 'x': there is no work queue 'q' in pool 'local'",
    ),
    (lambda b: b.etl.deploy("a/b"), "Deployment 'a/b': a deployment cannot be called 'a/b'"),
    (lambda b: b.etl.deploy(3), "Deployment 3: name is a text: write it in quotes."),
    (lambda b: b.etl.deploy("x", triggers=[1]), "Deployment 'x': triggers: expected names with values, got a whole"),
    (
        lambda b: b.etl.deploy("x", parameters={"row": 1}),
        "Deployment 'x': flow 'etl' has no parameter 'row'; did you mean",
    ),
    (lambda b: b.etl.deploy("x", parameters={"rows": "many"}), "Deployment 'x': "),
    (
        lambda b: b.etl.deploy("x", parameters=[1]),
        "Deployment 'x': parameters: expected names with values or nothing",
    ),
    (lambda b: b.etl.deploy("x", tags="one"), "Deployment 'x': tags: expected a list or nothing, got a text."),
    (
        lambda b: b.etl.deploy("x", concurrency_limit=0),
        "Deployment 'x': concurrency_limit: expected a whole number >= 1",
    ),
    (
        lambda b: b.etl.deploy("x", schedule="@daily"),
        "A schedule is what Cron, Interval and RRule of headrace.schedules",
    ),
    (lambda b: b.etl.deploy("x", cron="never"), "Schedule: cron: A cron string has five fields"),
    (
        lambda b: b.etl.deploy("x", schedules=[Cron("@daily", parameters={"row": 1})]),
        "Deployment 'x': flow 'etl' has no parameter 'row'",
    ),
    (
        lambda b: b.etl.deploy("x", entrypoint_type="guess"),
        "entrypoint_type is 'file_path' or 'module_path', not 'guess'.",
    ),
    (lambda b: deploy(), "deploy is given deployments: deploy(my_flow.to_deployment('name'), …)."),
    (lambda b: deploy(b.etl), "deploy is given what flow.to_deployment returns, not <Flow 'etl'>."),
    (
        lambda b: deploy(*[b.etl.to_deployment("x")] * 2),
        "Two deployments would be etl/x: give each a name of its own.",
    ),
    (
        lambda b: deploy(b.etl.to_deployment("x"), flow(name="loose")(lambda: None).to_deployment("x")),
        "Flow 'loose' has no name at the top level",
    ),
    (lambda b: flow.from_source("nowhere", "f.py:f"), "There is no folder "),
    (
        lambda b: flow.from_source(b.folder, "flows.py:etl"),
        "There is no file flows.py; did you mean flows_of_bench.py?",
    ),
]


@pytest.mark.parametrize(
    ("make", "says"),
    REFUSED,
)
def test_what_cannot_be_is_said_in_one_line_and_nothing_is_made(
    make: Callable[[Bench], Any], says: str, bench: Bench
) -> None:
    with pytest.raises(UsageError) as refused:
        make(bench)
    assert str(refused.value).startswith(says)
    assert "\n" not in str(refused.value)
    assert bench.is_empty()


def test_a_script_that_says_what_cannot_be_ends_with_one_line(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    import sys

    with pytest.raises(UsageError) as refused:
        bench.etl.deploy("a/b")
    sys.excepthook(UsageError, refused.value, None)
    assert capsys.readouterr().err.startswith("Error: Deployment 'a/b': a deployment cannot be called 'a/b'")


# sources


def test_a_flow_of_a_folder_is_loaded_and_deployed_from_there(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "far.py").write_text("from headrace import flow\n@flow\ndef far(): return 3\n", encoding="utf-8")
    found = flow.from_source(str(folder), "far.py:far")
    assert found() == 3
    made = bench.read(found.with_options(name="farther").deploy("daily", print_next_steps=False))
    assert (made.entrypoint, bench.administration.read_flow(made.flow_id).name) == ("far.py:far", "farther")
    assert made.pull_steps == [{f"{STEPS}set_working_directory": {"directory": str(folder)}}]


def test_a_flow_of_a_repository_is_cloned_where_it_runs(bench: Bench, tmp_path: Path) -> None:
    code = "from headrace import flow\n@flow\ndef cloned(): return 4\n"
    repository = make_repository(tmp_path / "origin", {"flows/cloned.py": code})
    found = flow.from_source(GitRepository(str(repository), branch="main"), "flows/cloned.py:cloned")
    assert found.name == "cloned"
    made = bench.read(found.deploy("daily", print_next_steps=False))
    assert made.entrypoint == "flows/cloned.py:cloned"
    assert made.pull_steps == [{f"{STEPS}git_clone": {"repository": str(repository), "branch": "main"}}]


def test_a_token_that_would_be_stored_is_refused(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = GitRepository("https://example.org/flows.git", {"access_token": "ghp_secret"})

    def fetch(_: Path) -> Path:
        return bench.folder

    monkeypatch.setattr(storage, "fetch", fetch)
    found = flow.from_source(storage, "flows_of_bench.py:etl")
    with pytest.raises(UsageError, match="A deployment keeps no secrets"):
        found.deploy("daily")
    with pytest.raises(ObjectNotFound):
        bench.read("etl/daily")
