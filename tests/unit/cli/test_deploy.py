"""`headrace init` and `headrace deploy`, on a database of their own."""

import io
import json
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from headrace.base.settings import load_settings
from headrace.cli.app import run
from headrace.cli.invocation import Invocation
from headrace.connect import open_administration
from headrace.schema.work_pool import WorkPoolCreate
from tests.unit.cli.conftest import Ended, Terminal
from tests.unit.cli.memory import NOW

FLOW = """
from headrace import flow

print("loaded")

@flow
def train(rows: int, start: int = 1): ...
"""


class Workplace(Terminal):
    """A terminal in a project's folder, on the database itself."""

    def type(self, *arguments: str, width: int = 80, in_color: bool = False) -> Ended:
        out, err = io.StringIO(), io.StringIO()
        console = self._console(out, width, in_color)
        invocation = Invocation(self.environ, None, console, self._console(err, 1000), lambda: NOW)
        code = run(arguments, invocation)
        return Ended(code, out.getvalue(), err.getvalue())


@pytest.fixture
def workplace(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workplace]:
    folder = tmp_path / "proj"
    folder.mkdir()
    (folder / "flow.py").write_text(FLOW, encoding="utf-8")
    monkeypatch.chdir(folder)
    with closing(cast("Any", open_administration(load_settings()))) as administration:
        administration.create_work_pool(WorkPoolCreate(name="local"))
    path = [*sys.path]
    yield Workplace(home)
    sys.path[:] = path
    sys.modules.pop("flow", None)


def test_a_project_begins_and_is_deployed(workplace: Workplace, capfd: pytest.CaptureFixture[str]) -> None:
    assert workplace.read("init").splitlines() == [
        "  written     headrace.yaml",
        "  written     .headraceignore",
        "Recipe local: Runs use the code in this folder.",
        "",
        "Next",
        "  headrace deploy path/to/file.py:function -n NAME",
    ]
    said = workplace.type(
        *(
            "deploy",
            "flow.py:train",
            "-n",
            "daily run",
            "-t",
            "a",
            "--cron",
            "0 6 * * *",
            "--timezone",
            "Europe/Berlin",
        ),
        *("--interval", "1 minute 30 seconds", "--concurrency-limit", "2", "--collision-strategy", "CANCEL_NEW"),
        *(
            "--param",
            "rows=3",
            "--params",
            '{"start": 2}',
            "--job-variable",
            "image=python:3",
            "-v",
            "7",
            "-d",
            "Text.",
        ),
        width=300,
    )
    assert (said.code, said.err) == (0, "")
    assert [line.rstrip() for line in said.out.splitlines()] == [
        "Deployed train/daily run",
        "  Entrypoint     flow.py:train",
        "  Pool           local (process), queue default",
        f"  Code           set_working_directory {Path.cwd()}",
        "  Parameters     start=2, rows=3",
        "  Job variables  image",
        "  Schedule       cron 0 6 * * * (Europe/Berlin)  next in 17h",
        "                 every 1m 30s (Europe/Berlin)  next in 1m",
        "  Limit          2 runs at once, one more is cancelled",
        "  Tags           a",
        "",
        "Next",
        "  headrace worker start --pool local",
        "  headrace deployment run 'train/daily run'",
    ]
    assert capfd.readouterr().out == ""
    again = workplace.read("deploy", "flow.py:train", "-n", "daily run", "-n", "other")
    assert "Deployed anew train/daily run\n" in again
    assert "Deployed train/other\n" in again


def test_deployments_are_told_as_json(workplace: Workplace) -> None:
    (made,) = json.loads(workplace.read("deploy", "flow.py", "--name", "one", "--output", "json", "-p", "local"))
    assert (made["name"], made["entrypoint"], made["version_info"]["type"]) == (
        "one",
        "flow.py:train",
        "headrace:simple",
    )
    assert made["parameter_openapi_schema"]["required"] == ["rows"]


def test_the_project_file_is_deployed(workplace: Workplace) -> None:
    Path("headrace.yaml").write_text(
        "deployments:\n- {name: one, entrypoint: 'flow.py:train', paused: true}\n- {name: two, entrypoint: 'flow.py:train'}\n"
    )
    assert workplace.read("deploy", "-n", "one").splitlines()[0] == "Deployed train/one  paused"
    assert workplace.read("deploy", "--all", "-t", "x").count("Tags") == 2
    assert (
        workplace.read("deploy", "flow.py:train", "-n", "two", "--version", "5").count("Deployed anew train/two") == 1
    )
    Path("headrace.yaml").rename("prefect-mine.yaml")
    assert "train/two" in workplace.read("deploy", "--prefect-file", "prefect-mine.yaml", "-n", "two")
    assert workplace.read("deploy", "--headrace-file", "prefect-mine.yaml", "--all").count("train/") == 4


def test_many_are_told_in_short(workplace: Workplace) -> None:
    names = [part for number in range(8) for part in ("-n", f"n{number}")]
    assert "… and 3 more deployments" in workplace.read("deploy", "flow.py:train", *names)


def test_what_was_passed_over_is_told(workplace: Workplace) -> None:
    Path("prefect.yaml").write_text(
        "prefect-version: 3.0\nnew: 1\ndeployments: [{name: one, entrypoint: 'flow.py:train'}]\n"
    )
    said = workplace.type("deploy", "--cron", "@daily")
    assert said.err.splitlines() == [
        "Warning: prefect.yaml: passed over what means nothing here: new.",
        "Warning: Scheduled runs of 'one' will lack parameters that the flow needs: rows.",
    ]
    assert said.code == 0


def test_mail_that_nobody_can_send_is_told(workplace: Workplace) -> None:
    written = "deployments: [{name: nightly, entrypoint: flow.py:train, work_pool: {name: local}, notify: me@x.org}]\n"
    Path("headrace.yaml").write_text(written, encoding="utf-8")
    ended = workplace.type("deploy", "--all", "--param", "rows=1")
    said = "Warning: No e-mail will be sent until HEADRACE_SERVER_SMTP_HOST is set on the server."
    assert (ended.code, ended.err.splitlines()[-1]) == (0, said)
    workplace.environ["HEADRACE_SERVER_SMTP_HOST"] = "mail.x.org"
    assert "HEADRACE_SERVER_SMTP_HOST" not in workplace.type("deploy", "--all", "--param", "rows=1").err


def test_what_steps_say_is_told_beside(workplace: Workplace) -> None:
    Path("headrace.yaml").write_text(
        "build:\n- headrace.deployments.steps.run_shell_script: {script: echo built}\n"
        "pull:\n- headrace.deployments.steps.git_clone: {repository: https://example.com/x.git}\n"
        "- headrace.deployments.steps.pip_install_requirements: {}\n"
        "deployments: [{name: one, entrypoint: 'flow.py:train', schedules: [{rrule: FREQ=DAILY, active: false}]}]\n"
    )
    said = workplace.type("deploy", "--param", "rows=1")
    assert said.err == "built\n"
    assert "git_clone https://example.com/x.git, then pip_install_requirements" in said.out
    assert "rule FREQ=DAILY (UTC)  not active" in said.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("deploy", "There is nothing to deploy: name an entrypoint, path/to/file.py:function; `headrace init` begins"),
        ("deploy flow.py:train", "A deployment has a name: add -n NAME."),
        ("deploy flow.py:train --all", "--all takes the project file's deployments, so it goes with no entrypoint."),
        ("deploy --all -n x", "Say either -n or --all."),
        ("deploy flw.py:train -n x", "There is no file flw.py; did you mean flow.py?"),
        ("deploy flow.py:tran -n x", "There is no 'tran' in flow.py; did you mean flow.py:train?"),
        ("deploy flow.py:train -n a/b", "A deployment cannot be called 'a/b': none of / % & > < may be in its name."),
        ("deploy flow.py:train -n x -p no", "There is no work pool 'no'; this makes it: headrace work-pool create no"),
        (
            "deploy flow.py:train -n x -q no",
            "There is no work queue 'no' in pool 'local'; this makes it: headrace work-",
        ),
        ("deploy flow.py:train -n x --cron 1", "--cron: A cron string has five fields"),
        ("deploy flow.py:train -n x --cron @daily --timezone Mars", "--timezone: There is no time zone 'Mars'"),
        ("deploy flow.py:train -n x --rrule FREQ=X", "--rrule: Rule 'FREQ=X' cannot be read"),
        ("deploy flow.py:train -n x --interval 0.5", "--interval: An interval is at least one second"),
        ("deploy flow.py:train -n x --interval often", "--interval 'often' is no duration: write '10 minutes'"),
        ("deploy flow.py:train -n x --interval 5 --anchor-date z", "--anchor-date: 'z' is no date"),
        ("deploy flow.py:train -n x --anchor-date 2026-01-01", "--anchor-date goes with --interval."),
        ("deploy flow.py:train -n x --timezone UTC", "--timezone goes with --cron, --interval or --rrule."),
        ("deploy flow.py:train -n x --concurrency-limit 0", "--concurrency-limit is at least 1, not 0."),
        ("deploy flow.py:train -n x --collision-strategy ENQUEUE", "A collision strategy goes with a limit"),
        ("deploy flow.py:train -n x --param rows", "--param 'rows' is not written as name=value."),
        ("deploy flow.py:train -n x --param rows=x", 'The parameters do not fit the deployment: rows: "x" is not of'),
        ("deploy flow.py:train -n x --param row=1", "Flow 'train' has no parameter 'row'; did you mean 'rows'?"),
        ("deploy flow.py:train -n x --params {", "--params is no JSON: "),
        ("deploy flow.py:train -n x --params [1]", "--params is no JSON object"),
        ("deploy --headrace-file no.yaml", "There is no file no.yaml."),
        ("init --recipe dokcer", "There is no recipe 'dokcer'; there are local, git."),
        ("init --field directory", "--field 'directory' gives nothing a value: write --field name=value."),
        ("init --field branch=x", "Recipe local has no field 'branch'; it has directory."),
    ],
)
def test_what_is_wrong_is_told_in_one_line(arguments: str, message: str, workplace: Workplace) -> None:
    assert workplace.fail(*arguments.split()).startswith(f"Error: {message}")
    assert not Path("headrace.yaml").exists()
    with closing(cast("Any", open_administration(load_settings()))) as administration:
        assert administration.list_deployments() == []
        assert administration.list_flows() == []


def test_the_older_spelling_writes_the_older_files(workplace: Workplace) -> None:
    Path("deployment.yaml").write_text("name: mine\nentrypoint: flow.py:train\n")
    said = workplace.read("project", "init", "--name", "old", "--field", "directory=/srv/flows").splitlines()
    assert said[:4] == [
        "  written     headrace.yaml",
        "  left alone  deployment.yaml",
        "  written     .headraceignore",
        "  written     .headrace/",
    ]
    assert "directory: /srv/flows" in Path("headrace.yaml").read_text()
    assert "headrace.yaml is as it was." in workplace.read("project", "init")
    assert "Deployed train/mine\n" in workplace.read("deploy")


def test_a_deployment_without_a_pool_goes_to_the_default_one(workplace: Workplace) -> None:
    workplace.read("work-pool", "create", "second", "--set-as-default")
    assert workplace.type("deploy", "flow.py:train", "-n", "d", "-o", "json").code == 0
    assert json.loads(workplace.read("deployment", "inspect", "train/d", "-o", "json"))["work_pool_name"] == "second"
    assert workplace.type("deploy", "flow.py:train", "-n", "d", "-p", "local").code == 0
    assert json.loads(workplace.read("deployment", "inspect", "train/d", "-o", "json"))["work_pool_name"] == "local"
