import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Terminal


@pytest.fixture
def file(home: Path) -> Path:
    return home / "profiles.toml"


class TestView:
    def test_shows_what_is_set_and_where(self, terminal: Terminal, home: Path) -> None:
        terminal.read("config", "set", "HEADRACE_LOGGING_LEVEL=debug")
        terminal.environ["HEADRACE_API_KEY"] = "s3cret"
        assert terminal.read("config", "view").splitlines() == [
            f"HEADRACE_HOME='{home}'  # environment",
            "HEADRACE_PROFILE='default'  # default",
            "HEADRACE_API_KEY='********'  # environment",
            "HEADRACE_LOGGING_LEVEL='DEBUG'  # profile default",
            "All other settings have their defaults; --show-defaults lists them.",
        ]

    def test_shows_all_with_what_they_mean(self, terminal: Terminal) -> None:
        shown = terminal.read("config", "view", "--show-defaults")
        assert "HEADRACE_OUTAGE_LIMIT_SECONDS='1800'  # default\n    How long a run waits" in shown
        assert "HEADRACE_API_URL=  # default" in shown

    def test_sources_can_be_hidden(self, terminal: Terminal) -> None:
        assert "#" not in terminal.read("config", "view", "--hide-sources")
        assert "# environment" in terminal.read("config", "view", "--show-sources")

    def test_secrets_are_shown_when_asked_for(self, terminal: Terminal) -> None:
        terminal.environ |= {"HEADRACE_API_KEY": "s3c'ret", "HEADRACE_DATABASE_URL": "postgresql://me:pw@h/d"}
        hidden = terminal.read("config", "view")
        assert "s3c" not in hidden
        assert "me:***@h" in hidden
        shown = terminal.read("config", "view", "--show-secrets")
        assert "HEADRACE_API_KEY='s3c'\\''ret'" in shown
        assert "me:pw@h" in shown

    def test_json(self, terminal: Terminal, home: Path) -> None:
        assert json.loads(terminal.read("config", "view", "-o", "json"))[0] == {
            "name": "HEADRACE_HOME",
            "value": str(home),
            "source": "environment",
        }

    def test_a_bad_setting_is_one_line(self, terminal: Terminal) -> None:
        terminal.environ["HEADRACE_LOGGING_LEVEL"] = "LOUD"
        assert "HEADRACE_LOGGING_LEVEL='LOUD' (environment) is no level" in terminal.fail("config", "view")


class TestSet:
    def test_writes_to_the_profile_in_use(self, terminal: Terminal, file: Path) -> None:
        terminal.read("config", "set", "HEADRACE_API_URL=http://one/api")
        terminal.read("profile", "create", "dev")
        terminal.read("--profile", "dev", "config", "set", "HEADRACE_API_URL=http://two/api", "HEADRACE_API_KEY=k=v")
        terminal.read("config", "set", "HEADRACE_LOGGING_LEVEL=INFO")
        assert file.read_text() == (
            "# Written by `headrace config` and `headrace profile`.\n"
            'active = "default"\n'
            "\n[profiles.default]\n"
            'HEADRACE_API_URL = "http://one/api"\nHEADRACE_LOGGING_LEVEL = "INFO"\n'
            "\n[profiles.dev]\n"
            'HEADRACE_API_URL = "http://two/api"\nHEADRACE_API_KEY = "k=v"\n'
        )

    def test_says_what_was_set_without_secrets(self, terminal: Terminal) -> None:
        said = terminal.read("config", "set", "HEADRACE_API_KEY=s3cret")
        assert said == "Set HEADRACE_API_KEY to '********' in profile default.\n"

    @pytest.mark.parametrize(
        ("assignment", "said"),
        [
            ("HEADRACE_API_ULR=http://h", "There is no setting HEADRACE_API_ULR; did you mean HEADRACE_API_URL?"),
            ("HEADRACE_LOGGING_LEVEL=LOUD", "HEADRACE_LOGGING_LEVEL='LOUD' (command line) is no level"),
            (
                "HEADRACE_SECRETS_KEY=short",
                "HEADRACE_SECRETS_KEY (command line) holds no keys: each is 32 random bytes",
            ),
            ("HEADRACE_LOGGING_LEVEL", "write HEADRACE_NAME=value"),
            ("HEADRACE_LOGGING_LEVEL=", "write HEADRACE_NAME=value"),
            ("HEADRACE_HOME=/x", "set in the environment only"),
        ],
    )
    def test_writes_nothing_that_is_wrong(self, terminal: Terminal, file: Path, assignment: str, said: str) -> None:
        assert said in terminal.fail("config", "set", "HEADRACE_LOGGING_LOG_PRINTS=true", assignment)
        assert not file.exists()

    def test_wants_something_to_set(self, terminal: Terminal) -> None:
        terminal.fail("config", "set")

    def test_warns_when_the_environment_goes_before(self, terminal: Terminal) -> None:
        terminal.environ["HEADRACE_LOGGING_LEVEL"] = "ERROR"
        ended = terminal.type("config", "set", "HEADRACE_LOGGING_LEVEL=INFO")
        assert ended.code == 0
        assert ended.err.startswith("Warning: HEADRACE_LOGGING_LEVEL is set in the environment as well")

    def test_mends_a_profile_that_cannot_be_loaded(self, terminal: Terminal, file: Path, home: Path) -> None:
        home.mkdir()
        file.write_text('[profiles.default]\nHEADRACE_LOGGING_LEVEL = "LOUD"\n')
        terminal.fail("config", "view")
        terminal.read("config", "set", "HEADRACE_LOGGING_LEVEL=INFO")
        terminal.read("config", "view")

    def test_a_place_that_cannot_be_written_is_one_line(self, terminal: Terminal, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        terminal.environ["HEADRACE_HOME"] = str(tmp_path / "file" / "home")
        assert "cannot be written" in terminal.fail("config", "set", "HEADRACE_LOGGING_LEVEL=INFO")

    def test_a_profile_that_is_not_there_is_one_line(self, terminal: Terminal) -> None:
        assert "no profile 'dev'" in terminal.fail("--profile", "dev", "config", "set", "HEADRACE_LOGGING_LEVEL=INFO")


class TestUnset:
    def test_removes(self, terminal: Terminal, file: Path) -> None:
        terminal.read("config", "set", "HEADRACE_LOGGING_LEVEL=INFO", "HEADRACE_LOGGING_COLORS=never")
        terminal.read("config", "unset", "HEADRACE_LOGGING_LEVEL", "HEADRACE_LOGGING_COLORS")
        assert "HEADRACE_" not in file.read_text()

    def test_removes_a_name_that_is_unknown_by_now(self, terminal: Terminal, file: Path, home: Path) -> None:
        home.mkdir()
        file.write_text('[profiles.default]\nHEADRACE_GONE = "x"\n')
        terminal.read("config", "unset", "HEADRACE_GONE")
        terminal.read("config", "view")

    def test_refuses_what_is_not_set(self, terminal: Terminal) -> None:
        assert "is not set in profile default" in terminal.fail("config", "unset", "HEADRACE_API_URL")
        assert "did you mean HEADRACE_API_URL?" in terminal.fail("config", "unset", "HEADRACE_API_UR")
        terminal.fail("config", "unset")


class TestValidate:
    def test_says_that_all_is_well(self, terminal: Terminal) -> None:
        assert terminal.read("config", "validate") == "All settings are valid: 1 profile, default in use.\n"

    def test_names_everything_that_is_wrong(self, terminal: Terminal, file: Path, home: Path) -> None:
        home.mkdir()
        file.write_text(
            'active = "one"\n[profiles.one]\nHEADRACE_NOPE = "x"\n[profiles.two]\nHEADRACE_LOGGING_LEVEL = "LOUD"\n'
        )
        terminal.environ["HEADRACE_FLOWS_DEFAULT_RETRIES"] = "x"
        ended = terminal.type("config", "validate")
        assert ended.code == 1
        assert [line.partition(";")[0].partition(") is ")[0].rstrip(")") for line in ended.err.splitlines()] == [
            "Error: There is no setting HEADRACE_NOPE (profile one",
            "Error: HEADRACE_LOGGING_LEVEL='LOUD' (profile two",
            "Error: HEADRACE_FLOWS_DEFAULT_RETRIES='x' (environment",
        ]

    def test_names_what_only_shows_in_the_whole(self, terminal: Terminal) -> None:
        terminal.environ["HEADRACE_PROFILE"] = "gone"
        assert "There is no profile 'gone'" in terminal.fail("config", "validate")

    def test_warns_of_variables_that_mean_nothing(self, terminal: Terminal) -> None:
        terminal.environ |= {"HEADRACE_XYZZY": "1", "HEADRACE_LOG_LEVEL": "INFO", "HEADRACE_LOGGING_LEVEL": "INFO"}
        ended = terminal.type("config", "validate")
        assert ended.code == 0
        assert ended.err.splitlines() == [
            "Warning: HEADRACE_LOG_LEVEL (environment) is no setting; did you mean HEADRACE_LOGGING_LEVEL?",
            "Warning: HEADRACE_XYZZY (environment) is no setting.",
        ]
