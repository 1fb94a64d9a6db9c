from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated

from cyclopts import App, Parameter
from msgspec.structs import replace
from rich.text import Text

from headrace.base.errors import ConfigurationError
from headrace.base.profiles import Profiles, read_profiles, write_profiles
from headrace.base.settings import (
    BY_ENV,
    SET_BY_DEFAULT,
    SET_BY_ENVIRONMENT,
    Resolved,
    check_profile,
    find_profile_setting,
    load_settings,
    locate_profiles,
    nearest_setting,
    parse_setting,
    resolve_settings,
    unknown_variables,
)
from headrace.cli.invocation import Flag, Injected, Invocation, Output
from headrace.cli.texts import say_count

app = App(name="config", help_flags=["--help"])


@app.command
def view(
    *,
    show_defaults: Flag = False,
    show_sources: Annotated[bool, Parameter(negative="--hide-sources")] = True,
    show_secrets: Flag = False,
    output: Output = None,
    invocation: Injected,
) -> None:
    """Show the settings in effect, each with where it comes from.

    Parameters
    ----------
    show_defaults
        Show settings nobody has set, too.
    show_sources
        Show who set each one: the environment, a profile, the default.
    show_secrets
        Show keys and passwords as they are.
    """
    shown = [
        resolved
        for resolved in resolve_settings(invocation.environ).values()
        if show_defaults or resolved.source != SET_BY_DEFAULT or resolved.setting.name == "profile"
    ]
    if output == "json":
        invocation.print_json(
            [{"name": item.setting.env, "value": _tell(item, show_secrets), "source": item.source} for item in shown]
        )
        return
    for item in shown:
        value = _tell(item, show_secrets)
        line = Text(item.setting.env, "bold")
        line.append("=" + (_quote(value) if value is not None else ""), "not bold")
        if show_sources:
            line.append(f"  # {item.source}", "not bold bright_black")
        invocation.print_line(line)
        if show_defaults:
            invocation.print_line(Text(f"    {item.setting.doc}", "bright_black"))
    if not show_defaults:
        invocation.print_line(
            Text("All other settings have their defaults; --show-defaults lists them.", "bright_black")
        )


@app.command(name="set")
def set_(*assignments: str, invocation: Injected) -> None:
    """Set settings in the profile in use. Each value is checked before anything is written.

    Parameters
    ----------
    assignments
        HEADRACE_NAME=value, one or more.
    """
    if not assignments:
        raise ConfigurationError("Nothing to set: write HEADRACE_NAME=value.")
    parsed: dict[str, str] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not text:
            raise ConfigurationError(f"{assignment!r} sets nothing: write HEADRACE_NAME=value; `config unset` removes.")
        setting = find_profile_setting(key)
        parse_setting(setting, text, "command line")
        parsed[key] = text
    _write(invocation, parsed)


@app.command
def unset(*names: str, invocation: Injected) -> None:
    """Remove settings from the profile in use.

    Parameters
    ----------
    names
        HEADRACE_NAME, one or more.
    """
    if not names:
        raise ConfigurationError("Nothing to unset: name a setting.")
    document, profile = _open_profile(invocation)
    content = document.profiles[profile]
    for name in names:
        if name not in content:
            # A name that is unknown to this version may still stand in the file, and then it can be removed.
            find_profile_setting(name)
            raise ConfigurationError(f"{name} is not set in profile {profile}.")
    for name in names:
        content.pop(name, None)
    write_profiles(document)
    for name in names:
        invocation.print_line(f"Removed {name} from profile {profile}.")
        _warn_if_overruled(invocation, name)


@app.command
def validate(*, invocation: Injected) -> None:
    """Check the environment and every profile; name each thing that is wrong, and fail if anything is."""
    path, _ = locate_profiles(invocation.environ)
    document = read_profiles(path)
    checks: list[Callable[[], object]] = [
        partial(check_profile, name, {key: text})
        for name, content in document.profiles.items()
        for key, text in content.items()
    ]
    checks += [
        partial(parse_setting, BY_ENV[name], text, SET_BY_ENVIRONMENT)
        for name, text in invocation.environ.items()
        if text and name in BY_ENV
    ]
    problems = [problem for check in checks if (problem := _find_problem(check))]
    if not problems and (problem := _find_problem(partial(load_settings, invocation.environ))):
        problems = [problem]
    for name in unknown_variables(invocation.environ):
        nearest = nearest_setting(name)
        advice = f"; did you mean {nearest}?" if nearest else "."
        invocation.print_warning(f"{name} ({SET_BY_ENVIRONMENT}) is no setting{advice}")
    if problems:
        for problem in problems[:-1]:
            invocation.print_error(problem)
        raise ConfigurationError(problems[-1])
    invocation.print_line(
        f"All settings are valid: {say_count(len(document.profiles), 'profile')}, {invocation.settings.profile} in use."
    )


def set_in_profile(invocation: Invocation, name: str, text: str) -> None:
    """Set a setting in the profile in use, and say so. Raises `ConfigurationError`."""
    parse_setting(find_profile_setting(name), text, "command line")
    _write(invocation, {name: text})


def _write(invocation: Invocation, parsed: Mapping[str, str]) -> None:
    document, name = _open_profile(invocation)
    document.profiles[name].update(parsed)
    write_profiles(document)
    for key, text in parsed.items():
        invocation.print_line(f"Set {key} to {BY_ENV[key].show(text)!r} in profile {name}.")
        _warn_if_overruled(invocation, key)


def _find_problem(check: Callable[[], object]) -> str | None:
    try:
        check()
    except ConfigurationError as error:
        return str(error)
    return None


def _open_profile(invocation: Invocation) -> tuple[Profiles, str]:
    """The profiles file, and the name of the profile in use. The profile's content may be wrong: it is to be mended."""
    path, chosen = locate_profiles(invocation.environ)
    document = read_profiles(path)
    name = chosen or document.active
    document.find(name)
    return document, name


def _warn_if_overruled(invocation: Invocation, name: str) -> None:
    if invocation.environ.get(name):
        invocation.print_warning(f"{name} is set in the environment as well, which goes before the profile.")


def _tell(resolved: Resolved, show_secrets: bool) -> str | None:
    setting = replace(resolved.setting, secret=False) if show_secrets else resolved.setting
    if show_secrets and isinstance(resolved.value, str):
        return resolved.value
    return setting.show(resolved.value)


def _quote(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"
