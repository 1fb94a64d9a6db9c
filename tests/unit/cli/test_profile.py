import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Terminal


@pytest.fixture
def file(home: Path) -> Path:
    return home / "profiles.toml"


@pytest.fixture
def two(terminal: Terminal) -> Terminal:
    """`default` in use, and `dev`."""
    terminal.read("config", "set", "HEADRACE_API_KEY=s3cret")
    terminal.read("profile", "create", "dev", "--from", "default")
    return terminal


def test_ls_marks_the_profile_in_use(two: Terminal) -> None:
    assert two.read("profile", "ls").splitlines() == ["* default", "  dev"]
    assert two.read("--profile", "dev", "profile", "ls").splitlines() == ["  default", "* dev"]
    assert json.loads(two.read("profile", "ls", "-o", "json"))[1] == {"name": "dev", "active": False}


def test_without_a_file_there_is_the_default(terminal: Terminal, file: Path) -> None:
    assert terminal.read("profile", "ls").splitlines() == ["* default"]
    assert terminal.read("profile", "inspect").strip() == "Profile default sets nothing."
    assert not file.exists()


def test_create_makes_an_empty_profile_or_a_copy(two: Terminal) -> None:
    two.read("profile", "create", "bare")
    assert "sets nothing" in two.read("profile", "inspect", "bare")
    assert "HEADRACE_API_KEY=s3cret" in two.read("profile", "inspect", "dev", "--show-secrets")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("dev",), "There is a profile dev already"),
        (("default",), "There is a profile default already"),
        (("a b",), "is no profile name"),
        (("new", "--from", "gone"), "There is no profile 'gone'"),
        ((), "requires an argument"),
    ],
)
def test_create_refuses(two: Terminal, arguments: tuple[str, ...], said: str) -> None:
    assert said in two.fail("profile", "create", *arguments)


def test_use_changes_the_profile_in_use(two: Terminal) -> None:
    assert two.read("profile", "use", "dev") == "Profile dev is in use.\n"
    assert "* dev" in two.read("profile", "ls")
    assert "There is no profile 'gone'" in two.fail("profile", "use", "gone")


def test_use_refuses_a_profile_that_could_not_be_loaded(two: Terminal, file: Path) -> None:
    file.write_text('[profiles.dev]\nHEADRACE_LOGGING_LEVEL = "LOUD"\n')
    assert "(profile dev) is no level" in two.fail("profile", "use", "dev")


def test_use_warns_when_the_environment_goes_before(two: Terminal) -> None:
    two.environ["HEADRACE_PROFILE"] = "default"
    ended = two.type("profile", "use", "dev")
    assert ended.code == 0
    assert ended.err.startswith("Warning: HEADRACE_PROFILE in the environment asks for default")


def test_a_profile_that_is_gone_can_be_left_again(two: Terminal, file: Path) -> None:
    file.write_text('active = "gone"\n')
    two.fail("version")
    two.read("profile", "use", "default")
    two.read("version")


def test_delete_removes_what_is_not_in_use(two: Terminal) -> None:
    assert two.read("profile", "delete", "dev") == "Deleted profile dev.\n"
    assert two.read("profile", "ls").splitlines() == ["* default"]


def test_delete_refuses_what_is_in_use_or_always_there(two: Terminal) -> None:
    assert "is in use" in two.fail("profile", "delete", "default")
    assert "is in use" in two.fail("--profile", "dev", "profile", "delete", "dev")
    two.read("profile", "use", "dev")
    assert "is always there" in two.fail("profile", "delete", "default")
    assert "There is no profile 'gone'" in two.fail("profile", "delete", "gone")


def test_delete_asks_when_told_to(two: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda: "n")
    assert two.type("--prompt", "profile", "delete", "dev").code == 1
    assert "dev" in two.read("profile", "ls")


def test_rename_keeps_place_content_and_use(two: Terminal) -> None:
    two.read("profile", "use", "dev")
    two.read("profile", "rename", "dev", "staging")
    assert two.read("profile", "ls").splitlines() == ["  default", "* staging"]
    assert "HEADRACE_API_KEY" in two.read("profile", "inspect")
    two.fail("profile", "rename", "gone", "x")
    two.fail("profile", "rename", "staging", "default")
    two.fail("profile", "rename", "staging", "a/b")


def test_inspect_hides_secrets(two: Terminal) -> None:
    assert two.read("profile", "inspect", "dev").strip() == "HEADRACE_API_KEY=********"
    assert json.loads(two.read("profile", "inspect", "dev", "-o", "json")) == {
        "name": "dev",
        "active": False,
        "settings": {"HEADRACE_API_KEY": "********"},
    }
    assert "There is no profile 'gone'" in two.fail("profile", "inspect", "gone")


def test_a_file_that_is_no_toml_is_one_line(two: Terminal, file: Path) -> None:
    file.write_text("nonsense")
    assert f"{file} is no TOML file" in two.fail("profile", "ls")


def test_the_profiles_that_most_people_want_are_added_once(terminal: Terminal) -> None:
    assert terminal.read("profile", "populate-defaults").split() == ["left", "alone", "default", "added", "local"]
    terminal.read("--profile", "local", "config", "set", "HEADRACE_API_URL=http://127.0.0.1:4300/api")
    assert terminal.read("profile", "populate-defaults").split() == [
        "left",
        "alone",
        "default",
        "left",
        "alone",
        "local",
    ]
    assert terminal.read("profile", "inspect", "local").strip() == "HEADRACE_API_URL=http://127.0.0.1:4300/api"
