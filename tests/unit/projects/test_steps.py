"""Steps: each does what it says, in order, with what those before it gave; what goes wrong is one line."""

import sys
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from headrace.base.errors import ConfigurationError, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.projects.blocks import BlockReader
from headrace.projects.steps import performing
from headrace.projects.steps.naming import PREFIX, read_step
from headrace.projects.steps.sequence import run_pull_steps
from headrace.projects.variables import VariableReader
from headrace.schema.block import BlockDocument
from headrace.schema.variable import Variable
from tests.unit.outbound.repositories import make_repository

OLD = "prefect.projects.steps."
MIDDLE = "prefect.deployments.steps."


class Office:
    """Knows two variables and two blocks, and tells each once."""

    def __init__(self) -> None:
        self.told: set[str | tuple[str, str]] = set()

    def read_variable_by_name(self, name: str) -> Variable:
        assert name not in self.told
        self.told.add(name)
        if name not in {"place", "my.rates"}:
            raise ObjectNotFound("none")
        return Variable(id=uuid7(), name=name, value="there" if name == "place" else {"of": 2})

    def read_block_document_by_name(self, slug: str, name: str, include_secrets: bool) -> BlockDocument:
        assert include_secrets
        assert (slug, name) not in self.told
        self.told.add((slug, name))
        data: dict[str, Any] = {
            "secret": {"value": "s3cret"},
            "log-in": {"user": "me", "more": {"a.b": 1, "c": "deep"}},
        }
        if slug not in data:
            raise ObjectNotFound("none")
        return BlockDocument(id=uuid7(), name=name, data=data[slug], block_schema_id=uuid7(), block_type_id=uuid7())


def step(name: str, **inputs: Any) -> dict[str, Any]:
    return {PREFIX + name: inputs}


def pull(folder: Path, *steps: dict[str, Any]) -> tuple[Path, list[str]]:
    lines: list[str] = []
    office = partial(cast, "Administration", Office())
    return run_pull_steps(steps, folder, lines.append, VariableReader(office), BlockReader(office)), lines


def fail(folder: Path, *steps: Any) -> str:
    with pytest.raises(ConfigurationError) as refusal:
        pull(folder, *steps)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def python(program: str) -> str:
    return f'{sys.executable} -c "{program}"'


def test_without_steps_the_flow_is_loaded_from_the_folder(tmp_path: Path) -> None:
    assert pull(tmp_path) == (tmp_path, [])


@pytest.mark.parametrize("prefix", [PREFIX, MIDDLE, OLD])
def test_a_directory_is_gone_to(prefix: str, tmp_path: Path) -> None:
    (tmp_path / "flows" / "deep").mkdir(parents=True)
    assert pull(tmp_path, {f"{prefix}set_working_directory": {"directory": str(tmp_path)}})[0] == tmp_path
    steps = [{f"{prefix}set_working_directory": {"directory": each}} for each in ("flows", "deep")]
    assert pull(tmp_path, *steps)[0] == tmp_path / "flows" / "deep"


@pytest.mark.parametrize("name", [f"{PREFIX}git_clone", f"{MIDDLE}git_clone", f"{OLD}git_clone_project"])
def test_a_repository_is_cloned_and_worked_with(name: str, tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "flows.git", {"sub/flow.py": "one = 1", "names.txt": "a\nb\n"})
    folder = tmp_path / "run"
    folder.mkdir()
    where, lines = pull(
        folder,
        {name: {"id": "clone", "repository": repository.as_uri(), "branch": "main", "access_token": None}},
        step("run_shell_script", script="cat names.txt", directory="{{ clone.directory }}"),
    )
    assert where == folder / "flows-main"
    assert lines == [f"Cloning {repository.as_uri()} into {where}.", "a", "b"]
    assert pull(folder, {name: {"repository": str(repository)}}, step("set_working_directory", directory="sub"))[0] == (
        folder / "flows" / "sub"
    )


def test_outputs_of_steps_are_given_to_later_ones(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("PLACE", "there")
    where, lines = pull(
        tmp_path,
        step(
            "run_shell_script", id="made", script="mkdir -p {{ $PLACE }}\n\n# and say so\n" + python("print('there')")
        ),
        step("set_working_directory", directory="{{ made.stdout }}"),
        step("run_shell_script", script="pwd"),
        step("run_shell_script", script=python("import sys; print('quiet', file=sys.stderr)"), stream_output=False),
        step("run_shell_script", id="env", script=python("import os; print(os.environ['ONE'])"), env={"ONE": "1"}),
        step("run_shell_script", script="echo 'a | b' {{ env.stdout }}{{ stdout }} $PLACE", expand_env_vars=True),
    )
    assert where == tmp_path / "there"
    assert lines == ["there", str(where), "1", "a | b 11 there"]


@pytest.fixture
def installer(tmp_path: Path, monkeypatch: Any) -> None:
    """A uv that installs nothing, for an environment without pip."""
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text('#!/bin/sh\nfor last; do :; done\ngrep -qs no-such "$last" && exit 2\necho "installed from $last"\n')
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{uv.parent}:/usr/bin:/bin")
    monkeypatch.setattr(performing, "find_spec", lambda name: None)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]


def test_requirements_are_installed(tmp_path: Path, installer: None) -> None:
    (tmp_path / "requirements.txt").write_text("# Nothing is needed.\n")
    where, _ = pull(
        tmp_path, {f"{MIDDLE}pip_install_requirements": {"requires": "prefect>=2", "stream_output": "true"}}
    )
    assert where == tmp_path
    (tmp_path / "bad.txt").write_text("--no-such-option\n")
    told = fail(tmp_path, step("pip_install_requirements", requirements_file="bad.txt"))
    assert "ended with exit code 2" in told
    assert fail(tmp_path, step("pip_install_requirements", directory=".", requirements_file="none.txt")) == (
        f"Step 1, pip_install_requirements: There is no file {tmp_path}/none.txt to install from."
    )


def test_what_a_step_requires_is_installed_first(tmp_path: Path, installer: None) -> None:
    where, lines = pull(tmp_path, step("set_working_directory", directory="bin", requires=["rich", "some-package>=2"]))
    assert (where, lines) == (tmp_path / "bin", ["installed from some-package>=2"])


def test_without_pip_and_uv_the_way_to_one_is_told(tmp_path: Path, installer: None, monkeypatch: Any) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "requirements.txt").touch()
    assert "Neither pip nor uv is there to install with; this brings pip: " in fail(
        tmp_path, step("pip_install_requirements")
    )


def test_variables_are_read_where_the_steps_run_and_each_once(tmp_path: Path) -> None:
    where, lines = pull(
        tmp_path,
        step("run_shell_script", script="mkdir -p {{ headrace.variables.place }}"),
        step("run_shell_script", script="echo {{ prefect.variables.place }} '{{ headrace.variables.my.rates }}'"),
        step("set_working_directory", directory="{{headrace.variables.place}}"),
    )
    assert where == tmp_path / "there"
    assert lines == ["there {of: 2}"]


def test_blocks_are_read_where_the_steps_run_and_each_once(tmp_path: Path) -> None:
    _, lines = pull(
        tmp_path,
        step(
            "run_shell_script", script="echo {{ headrace.blocks.secret/my-token }} {{ headrace.blocks.log-in/x.user }}"
        ),
        step(
            "run_shell_script",
            script="echo {{ prefect.blocks.log-in.x.more.c }} {{ prefect.blocks.secret.my-token.value }}",
        ),
        step("run_shell_script", script="echo '{{ headrace.blocks.log-in/x.more }}'"),
    )
    assert lines == ["s3cret me", "deep s3cret", "{a.b: 1, c: deep}"]


def test_what_a_step_requires_and_is_there_is_not_installed(tmp_path: Path) -> None:
    steps = [step("set_working_directory", directory=str(tmp_path), requires=["msgspec", "rich"])]
    assert pull(tmp_path, *steps)[0] == tmp_path
    assert "can be no package" in fail(tmp_path, step("set_working_directory", directory=".", requires="--index-url=x"))


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({f"{PREFIX}git_clon": {}}, f"Step 1: There is no step '{PREFIX}git_clon'; did you mean {PREFIX}git_clone?"),
        ({"set_working_directory": {}}, f"did you mean {PREFIX}set_working_directory?"),
        (
            {"os.system": {"command": "x"}},
            f"after {PREFIX} there are git_clone, pip_install_req",
        ),
        ("git_clone", "Step 1: A step is written as its name"),
        ({PREFIX + "git_clone": "https://x"}, "is given is written as names with values."),
        (step("git_clone", repositry="x"), "Step git_clone knows no 'repositry'; did you mean 'repository'?"),
        (step("git_clone", zzz="x"), "Step git_clone knows no 'zzz'; it is given repository, branch"),
        (step("git_clone"), "Step git_clone needs its 'repository'."),
        (step("git_clone", repository="x", id=3), "The id of step git_clone is a text, not 3."),
        (step("git_clone", repository="x", requires={"a": 1}), "is a package or a list of packages"),
        (step("git_clone", repository="--upload-pack=x"), "Step 1, git_clone: '--upload-pack=x' can be no repository"),
        (step("git_clone", repository="x", directories="docs"), "git_clone: directories: expected `array | null`"),
        (step("set_working_directory", directory="{{ $NOWHERE }}"), "there is no environment variable NOWHERE"),
        (step("set_working_directory", directory="{{ clone.directory }}"), "{{ clone.directory }} stands for nothing"),
        (
            step("set_working_directory", directory="{{ headrace.variables.none }}"),
            "{{ headrace.variables.none }} stands for nothing: there is no variable called 'none'; `headrace variable set",
        ),
        (
            step("set_working_directory", directory="{{ headrace.blocks.none/x }}"),
            "{{ headrace.blocks.none/x }} stands for nothing: there is no block none/x; `headrace block create none x` makes",
        ),
        (
            step("set_working_directory", directory="{{ headrace.blocks.log-in/x.pass }}"),
            "there is no 'pass' in block log-in/x; it has user, more.",
        ),
        (
            step("set_working_directory", directory="{{ headrace.blocks.log-in/x.user.y }}"),
            "there is no 'y' in block log-in/x; it has no parts.",
        ),
        (
            step("set_working_directory", directory="{{ headrace.blocks.none }}"),
            "stands for nothing: write {{ $NAME }}",
        ),
        (step("set_working_directory", directory="{{ headrace.variables }}"), "stands for nothing: write {{ $NAME }}"),
        (step("set_working_directory", directory="nowhere"), "There is no directory "),
        (step("run_shell_script", script="echo a\nfalse"), "Line 2 of the script: 'false' ended with exit code 1."),
        (step("run_shell_script", script="no-such-program x"), "There is no program 'no-such-program'; what a shell"),
        (step("run_shell_script", script="echo a | cat"), "No shell reads it, so | means nothing"),
        (step("run_shell_script", script="echo 'a"), "It cannot be read: no closing quotation."),
        (step("run_shell_script", script=python("import sys; sys.exit('it is so.')")), "exit code 1: it is so."),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(written: Any, message: str, tmp_path: Path) -> None:
    assert message in fail(tmp_path, written)


def test_a_secret_of_the_environment_is_not_repeated(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("TOKEN", "s3cret")
    assert "s3cret" not in fail(tmp_path, step("run_shell_script", script="false --token {{ $TOKEN }}"))


def test_nothing_is_done_when_a_later_step_is_unknown(tmp_path: Path) -> None:
    told = fail(tmp_path, step("run_shell_script", script="touch done"), {f"{PREFIX}nothing_like_it": {}})
    assert told.startswith("Step 2: There is no step")
    assert not (tmp_path / "done").exists()


def test_what_log_raises_ends_the_program(tmp_path: Path) -> None:
    def refuse(line: str) -> None:
        raise KeyboardInterrupt

    endless = python("import time\nprint('ready', flush=True)\ntime.sleep(600)".replace("\n", ";"))
    with pytest.raises(KeyboardInterrupt):
        run_pull_steps([step("run_shell_script", script=endless)], tmp_path, refuse, str, str)


def test_a_step_is_written_as_it_was_read() -> None:
    read = read_step({f"{OLD}git_clone_project": {"id": "one", "requires": "a", "repository": "x"}})
    assert read.to_document() == {f"{PREFIX}git_clone": {"id": "one", "requires": ["a"], "repository": "x"}}
    assert read_step({f"{PREFIX}pip_install_requirements": None}).inputs == {}
