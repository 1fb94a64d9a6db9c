"""Settings: one validated value, made at the edge by `load_settings` and handed down.

Each setting is read from the environment, else from the active profile (a table in `profiles.toml`, see
`base/profiles.py`), else from its default. `SETTINGS` is the table of all of them; nothing else reads the environment.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, cast

from msgspec import Struct

from headrace.base.errors import ConfigurationError, UnknownSetting
from headrace.base.keys import read_key, read_secrets_keys
from headrace.base.profiles import DEFAULT_PROFILE, read_profiles

PREFIX = "HEADRACE_"
SET_BY_DEFAULT = "default"
SET_BY_ENVIRONMENT = "environment"

EVERYWHERE = ("0.0.0.0/0", "::/0")
"""All addresses, as networks."""


class Settings(Struct, frozen=True, kw_only=True):
    """Every setting of this process, checked. Made by `load_settings`; the table `SETTINGS` says what each means."""

    home: Path
    profile: str
    profiles_path: Path
    database_url: str
    database_synchronous: Literal["normal", "full"]
    api_url: str | None
    api_key: str | None
    ui_url: str | None
    deployments_default_work_pool_name: str | None
    results_path: Path
    results_persist_by_default: bool
    results_default_serializer: str
    flows_default_retries: int
    flows_default_retry_delay_seconds: float
    tasks_default_retries: int
    tasks_default_retry_delay_seconds: float | tuple[float, ...]
    logging_level: str
    logging_log_prints: bool
    logging_extra_loggers: tuple[str, ...]
    logging_colors: Literal["auto", "always", "never"]
    logging_settings_path: Path
    server_api_host: str
    server_api_port: int
    server_api_key: str | None
    server_outbound_private: tuple[str, ...]
    server_smtp_host: str | None
    server_smtp_port: int | None
    server_smtp_security: Literal["ssl", "starttls", "none"]
    server_smtp_user: str | None
    server_smtp_password: str | None
    server_smtp_from: str | None
    server_keep_alive_seconds: float
    server_logging_format: Literal["text", "json"]
    retention_runs_days: float | None
    retention_events_days: float | None
    secrets_key: str | None
    heartbeat_seconds: float
    outage_limit_seconds: float
    journal_memory_mib: int
    spool_path: Path
    debug: bool

    def __repr__(self) -> str:
        shown = (f"{setting.name}={setting.show(getattr(self, setting.name))!r}" for setting in SETTINGS)
        return f"Settings({', '.join(shown)})"


class Setting(Struct, frozen=True):
    """One row of the table. `default` is written as a user would write the value; `<home>` stands for the home."""

    name: str
    parse: Callable[[str], Any]
    default: str | None
    doc: str
    secret: bool = False
    in_profile: bool = True

    @property
    def env(self) -> str:
        """The name in the environment and in profiles."""
        return PREFIX + self.name.upper()

    def show(self, value: object) -> str | None:
        """The value as text, with what is secret in it hidden."""
        if value is None:
            return None
        if self.secret:
            return "********"
        if isinstance(value, tuple):
            return ",".join(
                f"{part:g}" if isinstance(part, float) else str(part) for part in cast("tuple[object]", value)
            )
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, float):
            return f"{value:g}"
        return hide_password(str(value))


class Resolved(Struct, frozen=True):
    """What one setting is, as it was written (`text`) and read, and by whom: environment, profile <name> or default."""

    setting: Setting
    text: str | None
    source: str
    value: Any


def hide_password(url: str) -> str:
    """The address with its password replaced by `***`; anything else unchanged."""
    if "://" not in url:
        return url
    url = re.sub(r"(://[^:/@]*):.*@", r"\1:***@", url)
    return re.sub(r"([?&](?:password|sslpassword)=)[^&]*", r"\1***", url)


# How each kind of value is read. A parser raises ValueError with what is wrong, said of the value.


def _text(text: str) -> str:
    return text


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise ValueError("starts with ~, but this user has no home directory") from error


def _profile_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", text):
        raise ValueError("is no profile name: letters, digits, '-', '_' and '.' only")
    return text


def _database_url(text: str) -> str:
    """Read a database address: the driver is ours to choose, and a relative file must not move with the directory."""
    scheme, _, rest = text.partition("://")
    dialect = scheme.partition("+")[0]
    if dialect in {"postgresql", "postgres"} and rest:
        return f"postgresql://{rest}"
    if dialect == "sqlite" and rest.startswith("/") and len(rest) > 1:
        file = rest[1:]
        return text if file.startswith(":memory:") else f"sqlite:///{_path(file).as_posix()}"
    raise ValueError("is no database address: write sqlite:///<file> or postgresql://<user>@<host>/<database>")


def _api_url(text: str) -> str:
    if not re.fullmatch(r"https?://[^/\s]+\S*", text):
        raise ValueError("is no address of an API: write http://<host>:<port>/api")
    return text.rstrip("/")


def _ui_url(text: str) -> str:
    if not re.fullmatch(r"https?://[^/\s]+\S*", text):
        raise ValueError("is no address of pages: write https://<host>")
    return text.rstrip("/")


def _boolean(text: str) -> bool:
    word = text.lower()
    if word in {"true", "1", "yes", "on"}:
        return True
    if word in {"false", "0", "no", "off"}:
        return False
    raise ValueError("is neither true nor false")


def _count(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError("is not a whole number from 0")
    return int(text)


def _host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:_-]{1,253}", text):
        raise ValueError("is no address to listen on: write 127.0.0.1, 0.0.0.0, :: or a host's name")
    return text


def _mail_host(text: str) -> str:
    try:
        return _host(text)
    except ValueError:
        raise ValueError("is no host: write the name of a mail server, such as smtp.example.com") from None


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise ValueError("is no port: write a number from 0 to 65535")
    return int(text)


def _mebibytes(text: str) -> int:
    if not _count(text):
        raise ValueError("is not a whole number from 1")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ValueError("is not a number of seconds from 0")
    return seconds


def _interval(text: str) -> float:
    seconds = _seconds(text)
    if not 0.1 <= seconds <= 3600:
        raise ValueError("is not a number of seconds from 0.1 to 3600")
    return seconds


def _days(text: str) -> float | None:
    if text.lower() in {"forever", "never"}:
        return None
    try:
        days = float(text)
    except ValueError:
        days = -1.0
    if not 0 < days <= 36_500:
        raise ValueError("is neither a number of days above 0 nor 'forever'")
    return days


def _log_format(text: str) -> str:
    word = text.lower()
    if word not in {"text", "json"}:
        raise ValueError("is neither text nor json")
    return word


def _delays(text: str) -> float | tuple[float, ...]:
    delays = tuple(_seconds(part.strip()) for part in text.strip("[] ").split(","))
    return delays[0] if len(delays) == 1 else delays


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _level(text: str) -> str:
    level = text.upper()
    if level not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
        raise ValueError("is no level: write DEBUG, INFO, WARNING, ERROR or CRITICAL")
    return level


def _synchronous(text: str) -> str:
    word = text.lower()
    if word not in {"normal", "full"}:
        raise ValueError("is neither normal nor full")
    return word


def _security(text: str) -> str:
    word = text.lower()
    if word not in {"ssl", "starttls", "none"}:
        raise ValueError("is none of ssl, starttls, none")
    return word


def _networks(text: str) -> tuple[str, ...]:
    """Read networks of addresses: none of them is an empty list, and all of them are those of the two kinds of addresses."""
    from ipaddress import ip_network

    if text.lower() in {"none", "all"}:
        return () if text.lower() == "none" else EVERYWHERE
    try:
        return tuple(str(ip_network(part, strict=False)) for part in _names(text))
    except ValueError:
        raise ValueError("is neither none nor all, nor a list of networks such as 10.0.0.0/8,192.168.1.7") from None


def _colors(text: str) -> str:
    word = text.lower()
    if word in {"auto", "always", "never"}:
        return word
    try:
        return "always" if _boolean(text) else "never"
    except ValueError:
        raise ValueError("is none of auto, always, never") from None


SETTINGS: tuple[Setting, ...] = (
    Setting("home", _path, "~/.headrace", "Where everything is kept that has no place of its own.", in_profile=False),
    Setting("profile", _profile_name, DEFAULT_PROFILE, "The profile in use.", in_profile=False),
    Setting("profiles_path", _path, "<home>/profiles.toml", "The file that holds the profiles.", in_profile=False),
    Setting("database_url", _database_url, "sqlite:///<home>/headrace.db", "The database: SQLite or PostgreSQL."),
    Setting(
        "database_synchronous", _synchronous, "normal", "SQLite: 'full' survives power loss, 'normal' process death."
    ),
    Setting("api_url", _api_url, None, "The server's API; without one, runs are recorded in the database directly."),
    Setting("api_key", read_key, None, "The key shown to the server.", secret=True),
    Setting("ui_url", _ui_url, None, "Where people look at runs, for links; by default the server's own address."),
    Setting("deployments_default_work_pool_name", _text, None, "The work pool of deployments that name none."),
    Setting("results_path", _path, "<home>/results", "Where kept results are written."),
    Setting("results_persist_by_default", _boolean, "false", "Whether results are kept unless a flow or task says."),
    Setting("results_default_serializer", _text, "pickle", "How kept results are written: pickle, json, ..."),
    Setting("flows_default_retries", _count, "0", "How often a failed flow is tried again unless it says."),
    Setting("flows_default_retry_delay_seconds", _seconds, "0", "The wait before a flow is tried again."),
    Setting("tasks_default_retries", _count, "0", "How often a failed task is tried again unless it says."),
    Setting("tasks_default_retry_delay_seconds", _delays, "0", "The wait before a task is tried again; or a list."),
    Setting("logging_level", _level, "INFO", "The lowest level of log lines that is shown and kept."),
    Setting("logging_log_prints", _boolean, "false", "Whether print becomes a log line unless a flow or task says."),
    Setting("logging_extra_loggers", _names, "", "Other loggers whose lines are kept with the run, comma-separated."),
    Setting("logging_colors", _colors, "auto", "Colours in the terminal: auto, always or never."),
    Setting("logging_settings_path", _path, "<home>/logging.yml", "A file that sets up logging, if it exists."),
    Setting("server_api_host", _host, "127.0.0.1", "The address that a server started here listens on."),
    Setting("server_api_port", _port, "4200", "The port that a server started here listens on; 0: any free one."),
    Setting("server_api_key", read_key, None, "The key that a server started here asks for.", secret=True),
    Setting(
        "server_outbound_private",
        _networks,
        "none",
        "Where a server may send to but to public addresses: none, all, or networks, comma-separated.",
    ),
    Setting("server_smtp_host", _mail_host, None, "The mail server by which a server sends e-mail."),
    Setting("server_smtp_port", _port, None, "Its port, if it is not the usual one."),
    Setting("server_smtp_security", _security, "starttls", "How that connection is encrypted: ssl, starttls or none."),
    Setting("server_smtp_user", _text, None, "Who logs in there, if anybody."),
    Setting("server_smtp_password", _text, None, "The password of who logs in there.", secret=True),
    Setting("server_smtp_from", _text, None, "From whom e-mail is that a server sends; else from who logs in."),
    Setting("server_keep_alive_seconds", _seconds, "5", "How long a server keeps a connection that asks nothing."),
    Setting("server_logging_format", _log_format, "text", "How a server writes its log: text, or json (a line each)."),
    Setting("retention_runs_days", _days, "90", "Days from their end on for which runs are kept; or 'forever'."),
    Setting("retention_events_days", _days, "7", "Days for which events are kept that are no states; or 'forever'."),
    Setting(
        "secrets_key",
        read_secrets_keys,
        None,
        "The keys that seal secrets; else those in <home>/secrets.key.",
        secret=True,
    ),
    Setting("heartbeat_seconds", _interval, "10", "How often a process shows the server that its runs are alive."),
    Setting("outage_limit_seconds", _seconds, "1800", "How long a run waits for a database or API that is away."),
    Setting("journal_memory_mib", _mebibytes, "64", "How much undelivered history a process holds in memory."),
    Setting("spool_path", _path, "<home>/spool", "Where history goes that could not be delivered in time."),
    Setting("debug", _boolean, "false", "Whether the command line shows the whole traceback of an error."),
)

BY_ENV: dict[str, Setting] = {setting.env: setting for setting in SETTINGS}


def nearest_setting(name: str, cutoff: float = 0.6) -> str | None:
    """The known name most like this one, if any is like it."""
    from difflib import get_close_matches

    known = {env.removeprefix(PREFIX): env for env in BY_ENV}
    found = get_close_matches(name.upper().removeprefix(PREFIX), list(known), n=1, cutoff=cutoff)
    return known[found[0]] if found else None


def find_setting(name: str, source: str = "") -> Setting:
    """The setting of this name, in the form HEADRACE_API_URL. Raises `UnknownSetting` with the nearest known name."""
    setting = BY_ENV.get(name)
    if setting is None:
        nearest = nearest_setting(name)
        advice = f"did you mean {nearest}?" if nearest else "`headrace config view --show-defaults` lists them all."
        raise UnknownSetting(f"There is no setting {name}{f' ({source})' if source else ''}; {advice}")
    return setting


def parse_setting(setting: Setting, text: str, source: str) -> Any:
    """The value that `text` means. Raises `ConfigurationError` naming the setting and where it came from."""
    try:
        return setting.parse(text)
    except ValueError as error:
        written = setting.env if setting.secret else f"{setting.env}={hide_password(text)!r}"
        raise ConfigurationError(f"{written} ({source}) {error}.") from None


def check_profile(name: str, content: Mapping[str, str]) -> None:
    """Raise `UnknownSetting` or `ConfigurationError` for the first entry of the profile that cannot stand."""
    source = f"profile {name}"
    for key, text in content.items():
        if text:
            parse_setting(find_profile_setting(key, source), text, source)
        else:
            find_profile_setting(key, source)


def find_profile_setting(name: str, source: str = "") -> Setting:
    """The setting of this name, if a profile may hold it. Raises `UnknownSetting`, `ConfigurationError`."""
    setting = find_setting(name, source)
    if not setting.in_profile:
        raise ConfigurationError(f"{name} says where the profiles are, so it is set in the environment only.")
    return setting


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """The HEADRACE_ variables that are no settings."""
    return sorted(key for key in environ if key.startswith(PREFIX) and key not in BY_ENV)


def locate_profiles(environ: Mapping[str, str] = os.environ) -> tuple[Path, str | None]:
    """The path of the profiles file, and the profile that the environment asks for, if it does."""
    home = _resolve(SETTINGS[0], environ, "", {}, "")
    path: Path = _resolve(SETTINGS[2], environ, str(home.value), {}, "").value
    chosen = environ.get(SETTINGS[1].env) or None
    if chosen is not None:
        parse_setting(SETTINGS[1], chosen, SET_BY_ENVIRONMENT)
    return path, chosen


def resolve_settings(environ: Mapping[str, str] = os.environ) -> dict[str, Resolved]:
    """Every setting by name, with where its value came from. Raises `ConfigurationError` and `UnknownSetting`."""
    _refuse_misspelt(environ)
    profiles_path, chosen = locate_profiles(environ)
    active, profile = _read_profile(profiles_path, chosen)
    home = str(_resolve(SETTINGS[0], environ, "", {}, "").value)
    found = {setting.name: _resolve(setting, environ, home, profile, f"profile {active}") for setting in SETTINGS}
    if chosen is None:
        source = SET_BY_DEFAULT if active == DEFAULT_PROFILE else str(profiles_path)
        found["profile"] = Resolved(SETTINGS[1], active, source, active)
    return found


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process: environment above active profile above defaults.

    Raises `ConfigurationError` for a value that cannot be used and `UnknownSetting` for a name that does not exist.
    """
    return Settings(**{name: resolved.value for name, resolved in resolve_settings(environ).items()})


def wants_debug(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether errors show where they came from; answers even when the settings themselves are the error."""
    try:
        return load_settings(environ).debug
    except ConfigurationError:
        return environ.get("HEADRACE_DEBUG", "").lower() not in {"", "0", "false", "no", "off"}


def _resolve(
    setting: Setting, environ: Mapping[str, str], home: str, profile: Mapping[str, str], profile_source: str
) -> Resolved:
    # An empty variable is how compose files and shells write "not set".
    env = setting.env
    if text := environ.get(env):
        source = SET_BY_ENVIRONMENT
    elif text := profile.get(env):
        source = profile_source
    elif setting.default is None:
        return Resolved(setting, None, SET_BY_DEFAULT, None)
    else:
        text, source = setting.default.replace("<home>", home), SET_BY_DEFAULT
    return Resolved(setting, text, source, parse_setting(setting, text, source))


def _read_profile(path: Path, chosen: str | None) -> tuple[str, Mapping[str, str]]:
    """The name and content of the profile in use; `chosen` is the one the environment asks for."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        if chosen in {None, DEFAULT_PROFILE}:
            return DEFAULT_PROFILE, {}
    except OSError as error:
        raise ConfigurationError(f"The profiles in {path} cannot be read: {error.strerror}.") from None
    document = read_profiles(path)
    active = chosen or document.active
    content = document.find(active)
    check_profile(active, content)
    return active, content


def _refuse_misspelt(environ: Mapping[str, str]) -> None:
    """Refuse a variable that can only be a slip of the pen.

    Other HEADRACE_ variables are let be: Kubernetes makes some from a service's name, a newer version may know more.
    """
    for key in environ:
        if key.startswith(PREFIX) and key not in BY_ENV:
            meant = nearest_setting(key, cutoff=0.85)
            if meant is not None and meant not in environ:
                raise UnknownSetting(f"There is no setting {key} ({SET_BY_ENVIRONMENT}); did you mean {meant}?")
