import subprocess
import sys
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.base.errors import ConfigurationError, UnknownSetting
from headrace.base.settings import (
    BY_ENV,
    SETTINGS,
    Settings,
    find_profile_setting,
    find_setting,
    hide_password,
    load_settings,
    locate_profiles,
    resolve_settings,
    unknown_variables,
    wants_debug,
)


@pytest.fixture
def environ(home: Path) -> dict[str, str]:
    return {"HEADRACE_HOME": str(home)}


def write(home: Path, text: str) -> None:
    home.mkdir(exist_ok=True)
    (home / "profiles.toml").write_text(text, encoding="utf-8")


def test_the_table_and_the_value_agree() -> None:
    assert [setting.name for setting in SETTINGS] == list(get_type_hints(Settings))
    assert all(setting.doc.endswith(".") for setting in SETTINGS)


def test_defaults_depend_on_the_home(environ: dict[str, str], home: Path) -> None:
    settings = load_settings(environ)
    assert settings.home == home
    assert settings.profiles_path == home / "profiles.toml"
    assert settings.database_url == f"sqlite:///{home}/headrace.db"
    assert settings.results_path == home / "results"
    assert settings.spool_path == home / "spool"
    assert settings.profile == "default"
    assert settings.api_url is None
    assert settings.outage_limit_seconds == 1800
    assert not home.exists()


def test_the_home_is_in_the_users_directory_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_settings({}).home == tmp_path / ".headrace"


def test_the_environment_goes_before_the_profile_and_that_before_the_default(
    environ: dict[str, str], home: Path
) -> None:
    write(home, '[profiles.default]\nHEADRACE_FLOWS_DEFAULT_RETRIES = 2\nHEADRACE_TASKS_DEFAULT_RETRIES = "3"\n')
    resolved = resolve_settings(environ | {"HEADRACE_FLOWS_DEFAULT_RETRIES": "7"})
    found = {name: (item.value, item.source) for name, item in resolved.items()}
    assert found["flows_default_retries"] == (7, "environment")
    assert found["tasks_default_retries"] == (3, "profile default")
    assert found["logging_level"] == ("INFO", "default")


def test_the_active_profile_is_used_unless_the_environment_names_another(environ: dict[str, str], home: Path) -> None:
    write(
        home,
        'active = "one"\n'
        '[profiles.one]\nHEADRACE_LOGGING_LEVEL = "DEBUG"\n'
        '[profiles.two]\nHEADRACE_LOGGING_LEVEL = "ERROR"\n',
    )
    assert load_settings(environ).logging_level == "DEBUG"
    assert resolve_settings(environ)["profile"].source == str(home / "profiles.toml")
    assert load_settings(environ | {"HEADRACE_PROFILE": "two"}).logging_level == "ERROR"
    assert load_settings(environ | {"HEADRACE_PROFILE": "default"}).logging_level == "INFO"


def test_toml_values_of_any_kind_will_do(environ: dict[str, str], home: Path) -> None:
    write(
        home,
        "[profiles.default]\nHEADRACE_LOGGING_LOG_PRINTS = true\n"
        "HEADRACE_TASKS_DEFAULT_RETRY_DELAY_SECONDS = [1, 2.5]\n",
    )
    settings = load_settings(environ)
    assert settings.logging_log_prints is True
    assert settings.tasks_default_retry_delay_seconds == (1.0, 2.5)


def test_an_empty_variable_is_not_set(environ: dict[str, str]) -> None:
    settings = load_settings(environ | {"HEADRACE_API_URL": "", "HEADRACE_LOGGING_LEVEL": "", "HEADRACE_PROFILE": ""})
    assert settings.api_url is None
    assert settings.logging_level == "INFO"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("api_url", "http://localhost:4200/api/", "http://localhost:4200/api"),
        ("database_url", "postgresql+asyncpg://me@host/db", "postgresql://me@host/db"),
        ("database_url", "postgres://me:pw@host:5432/db", "postgresql://me:pw@host:5432/db"),
        ("database_url", "sqlite+aiosqlite:////tmp/a.db", "sqlite:////tmp/a.db"),
        ("database_synchronous", "FULL", "full"),
        ("results_persist_by_default", "Yes", True),
        ("results_persist_by_default", "0", False),
        ("tasks_default_retry_delay_seconds", "1.5", 1.5),
        ("tasks_default_retry_delay_seconds", "1, 2,4", (1.0, 2.0, 4.0)),
        ("tasks_default_retry_delay_seconds", "[1, 2]", (1.0, 2.0)),
        ("logging_level", "debug", "DEBUG"),
        ("logging_extra_loggers", "botocore, urllib3,", ("botocore", "urllib3")),
        ("logging_colors", "true", "always"),
        ("logging_colors", "Never", "never"),
        ("server_api_host", "::1", "::1"),
        ("server_api_port", "0", 0),
        ("api_key", " sekret\n", "sekret"),
        ("server_api_key", "admin:pass", "admin:pass"),
        ("server_api_key", "two words\r\n", "two words"),
        ("server_outbound_private", "None", ()),
        ("server_outbound_private", "ALL", ("0.0.0.0/0", "::/0")),
        ("server_outbound_private", "10.1.2.3/8, ::1", ("10.0.0.0/8", "::1/128")),
        ("server_smtp_host", "smtp.example.com", "smtp.example.com"),
        ("server_smtp_security", "SSL", "ssl"),
        ("secrets_key", f"{'A' * 43}=,{'B' * 42}A=", f"{'A' * 43}=,{'B' * 42}A="),
        ("outage_limit_seconds", "0", 0.0),
        ("debug", "1", True),
    ],
)
def test_values_are_read(environ: dict[str, str], name: str, text: str, value: Any) -> None:
    assert getattr(load_settings(environ | {f"HEADRACE_{name.upper()}": text}), name) == value


def test_a_relative_database_stays_where_it_was_meant(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings(environ | {"HEADRACE_DATABASE_URL": "sqlite:///runs.db", "HEADRACE_SPOOL_PATH": "spool"})
    assert settings.database_url == f"sqlite:///{tmp_path}/runs.db"
    assert settings.spool_path == tmp_path / "spool"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "HEADRACE_API_URL",
            "localhost:4200",
            "HEADRACE_API_URL='localhost:4200' (environment) is no address of an API",
        ),
        ("HEADRACE_DATABASE_URL", "mysql://me:pw@h/d", "HEADRACE_DATABASE_URL='mysql://me:***@h/d' (environment)"),
        ("HEADRACE_DATABASE_URL", "sqlite://", "is no database address"),
        ("HEADRACE_DATABASE_URL", "headrace.db", "is no database address"),
        ("HEADRACE_DATABASE_SYNCHRONOUS", "off", "is neither normal nor full"),
        ("HEADRACE_FLOWS_DEFAULT_RETRIES", "-1", "is not a whole number from 0"),
        ("HEADRACE_FLOWS_DEFAULT_RETRIES", "1.5", "is not a whole number from 0"),
        ("HEADRACE_FLOWS_DEFAULT_RETRY_DELAY_SECONDS", "nan", "is not a number of seconds"),
        ("HEADRACE_OUTAGE_LIMIT_SECONDS", "inf", "is not a number of seconds"),
        ("HEADRACE_TASKS_DEFAULT_RETRY_DELAY_SECONDS", "1,x", "is not a number of seconds"),
        ("HEADRACE_JOURNAL_MEMORY_MIB", "0", "is not a whole number from 1"),
        ("HEADRACE_SERVER_API_HOST", "http://x", "is no address to listen on"),
        ("HEADRACE_SERVER_API_PORT", "65536", "is no port"),
        ("HEADRACE_SERVER_API_PORT", "tcp://10.0.0.1:80", "is no port"),
        ("HEADRACE_SERVER_OUTBOUND_PRIVATE", "10.0.0.0/8,x", "is neither none nor all, nor a list of networks"),
        ("HEADRACE_SERVER_SMTP_HOST", "smtp://x", "is no host"),
        ("HEADRACE_SERVER_SMTP_SECURITY", "tls", "is none of ssl, starttls, none"),
        ("HEADRACE_LOGGING_LEVEL", "LOUD", "is no level"),
        ("HEADRACE_LOGGING_COLORS", "blue", "is none of auto, always, never"),
        ("HEADRACE_LOGGING_LOG_PRINTS", "maybe", "is neither true nor false"),
        ("HEADRACE_PROFILE", "a b", "is no profile name"),
        ("HEADRACE_PROFILE", "missing", "There is no profile 'missing'"),
    ],
)
def test_a_bad_value_is_named_in_one_line(environ: dict[str, str], name: str, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ | {name: text})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["HEADRACE_API_KEY", "HEADRACE_SERVER_API_KEY"])
@pytest.mark.parametrize("text", ["sek\nret", "sek\x7fret", "sek\0ret", "sékret", "sek\udce9ret", "\n"])
def test_a_key_that_no_header_carries_is_refused_and_not_repeated(
    environ: dict[str, str], name: str, text: str
) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{name} \(environment\) is no key[^\n]*\.$") as caught:
        load_settings(environ | {name: text})
    assert text == "\n" or "ret" not in str(caught.value)


@pytest.mark.parametrize("text", ["short", f"{'A' * 43}=,short", "schlüssel", ","])
def test_keys_that_seal_nothing_are_refused_and_not_repeated(environ: dict[str, str], text: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"^HEADRACE_SECRETS_KEY \(environment\) holds no keys: each"
    ) as caught:
        load_settings(environ | {"HEADRACE_SECRETS_KEY": text})
    assert text == "," or text not in str(caught.value)


def test_a_bad_value_in_a_profile_names_the_profile(environ: dict[str, str], home: Path) -> None:
    write(home, '[profiles.default]\nHEADRACE_LOGGING_LEVEL = "LOUD"\n')
    with pytest.raises(ConfigurationError, match=r"HEADRACE_LOGGING_LEVEL='LOUD' \(profile default\) is no level"):
        load_settings(environ)


def test_an_unknown_key_in_a_profile_is_refused_with_the_nearest_name(environ: dict[str, str], home: Path) -> None:
    write(home, '[profiles.default]\nHEADRACE_DATABASE = "x"\n')
    with pytest.raises(
        UnknownSetting, match=r"no setting HEADRACE_DATABASE \(profile default\); did you mean HEADRACE_"
    ):
        load_settings(environ)


def test_a_profile_cannot_say_where_profiles_are(environ: dict[str, str], home: Path) -> None:
    write(home, '[profiles.default]\nHEADRACE_HOME = "/elsewhere"\n')
    with pytest.raises(ConfigurationError, match="set in the environment only"):
        load_settings(environ)


@pytest.mark.parametrize("slip", ["HEADRACE_DATABASE_URI", "HEADRACE_API_ULR", "HEADRACE_PROFILES"])
def test_a_slip_of_the_pen_in_the_environment_is_refused(environ: dict[str, str], slip: str) -> None:
    with pytest.raises(UnknownSetting, match=f"no setting {slip} .*did you mean HEADRACE_"):
        load_settings(environ | {slip: "x"})


@pytest.mark.parametrize(
    "other",
    [
        "HEADRACE_PORT",
        "HEADRACE_SERVICE_HOST",
        "HEADRACE_API_PORT",
        "HEADRACE_PORT_4200_TCP_ADDR",
        "HEADRACE_DEMO_DATA",
    ],
)
def test_other_variables_are_let_be(environ: dict[str, str], other: str) -> None:
    environ[other] = "x"
    load_settings(environ)
    assert unknown_variables(environ) == [other]


def test_a_likely_slip_is_let_be_beside_the_name_itself(environ: dict[str, str]) -> None:
    load_settings(environ | {"HEADRACE_API_KEYS": "x", "HEADRACE_API_KEY": "y"})


def test_names_are_found_or_refused() -> None:
    assert find_setting("HEADRACE_API_URL").name == "api_url"
    with pytest.raises(UnknownSetting, match="did you mean HEADRACE_API_URL"):
        find_setting("HEADRACE_API_UR")
    with pytest.raises(UnknownSetting, match="config view --show-defaults"):
        find_setting("HEADRACE_XYZZY")
    with pytest.raises(UnknownSetting):
        find_profile_setting("api_url")


def test_no_secret_is_shown(environ: dict[str, str]) -> None:
    settings = load_settings(
        environ | {"HEADRACE_API_KEY": "s3cret", "HEADRACE_DATABASE_URL": "postgresql://me:s3cret@host/db"}
    )
    assert settings.api_key == "s3cret"
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in str(settings)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ | {"HEADRACE_DATABASE_URL": "mongodb://me:s3cret@host/db"})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:p@ss@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me@host/db?password=pw&x=1", "postgresql://me@host/db?password=***&x=1"),
        ("sqlite:////tmp/a:b@c.db", "sqlite:////tmp/a:b@c.db"),
        ("https://host/api", "https://host/api"),
        ("a:b@c", "a:b@c"),
    ],
)
def test_a_password_is_hidden(url: str, shown: str) -> None:
    assert hide_password(url) == shown


@given(st.text(min_size=1, alphabet=st.characters(codec="utf-8", exclude_characters="\0")))
def test_any_text_is_a_value_or_one_line_of_error(text: str) -> None:
    for setting in SETTINGS:
        try:
            value = setting.parse(text)
        except ValueError as error:
            assert str(error)  # noqa: PT017 - the text is what is tested
        else:
            assert setting.show(value) is not None


def test_a_shown_value_is_read_as_the_same_value(environ: dict[str, str]) -> None:
    settings = load_settings(environ | {"HEADRACE_TASKS_DEFAULT_RETRY_DELAY_SECONDS": "1,2.5"})
    for setting in SETTINGS:
        value = getattr(settings, setting.name)
        shown = setting.show(value)
        if shown:
            assert setting.parse(shown) == value


def test_profiles_are_located_without_reading_them(environ: dict[str, str], home: Path) -> None:
    write(home, "this is no TOML")
    assert locate_profiles(environ) == (home / "profiles.toml", None)
    assert locate_profiles(environ | {"HEADRACE_PROFILE": "x", "HEADRACE_PROFILES_PATH": "/p.toml"}) == (
        Path("/p.toml"),
        "x",
    )


def test_an_unreadable_place_is_one_line(environ: dict[str, str], tmp_path: Path) -> None:
    """A path through a file, which not even root can walk, holds no profiles; a directory is no file."""
    (tmp_path / "file").touch()
    assert load_settings({"HEADRACE_HOME": str(tmp_path / "file" / "home")}).profile == "default"
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        load_settings(environ | {"HEADRACE_PROFILES_PATH": str(tmp_path)})
    with pytest.raises(ConfigurationError, match="cannot be read: File name too long"):
        load_settings(environ | {"HEADRACE_PROFILES_PATH": "/" + "x" * 5000})


def test_settings_load_nothing_heavy() -> None:
    code = (
        "import sys; from headrace.base.settings import load_settings; load_settings({'HEADRACE_HOME': '/nowhere'});"
        "print(' '.join(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"asyncio", "difflib", "json", "logging", "pydantic", "rich", "sqlalchemy", "tempfile", "tomllib"}
    assert heavy & {*loaded} <= {*baseline()}


def baseline() -> list[str]:
    """What the interpreter and msgspec load by themselves."""
    code = "import sys, msgspec, pathlib; print(' '.join(sys.modules))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def test_every_setting_has_one_name() -> None:
    assert len(BY_ENV) == len(SETTINGS)


def test_every_setting_is_in_the_docs() -> None:
    page = (Path(__file__).parents[3] / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = [
        f"| `{setting.env}` | {f'`{setting.default}`' if setting.default else ''} | {setting.doc} |"
        for setting in SETTINGS
    ]
    assert [line for line in page.splitlines() if line.startswith("| `")] == rows


@pytest.mark.parametrize(("text", "wanted"), [("1", True), ("yes", True), ("0", False), ("", False), ("no", False)])
def test_debug_is_known_even_when_the_settings_are_the_error(environ: dict[str, str], text: str, wanted: bool) -> None:
    environ["HEADRACE_DEBUG"] = text
    assert wants_debug(environ) is wanted
    assert wants_debug(environ | {"HEADRACE_LOGGING_LEVEL": "LOUD"}) is wanted
