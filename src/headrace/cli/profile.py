from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from cyclopts import App, Parameter
from rich.text import Text

from headrace.base.errors import ConfigurationError
from headrace.base.profiles import DEFAULT_PROFILE, Profiles, read_profiles, write_profiles
from headrace.base.settings import BY_ENV, check_profile, locate_profiles, parse_setting
from headrace.cli.invocation import Flag, Injected, Invocation, Output

DEFAULTS: Mapping[str, Mapping[str, str]] = {
    DEFAULT_PROFILE: {},
    "local": {"HEADRACE_API_URL": "http://127.0.0.1:4200/api"},
}
"""What `populate-defaults` adds."""

app = App(name="profile", help_flags=["--help"])


@app.command
def ls(*, output: Output = None, invocation: Injected) -> None:
    """List the profiles; the one in use is marked."""
    document, in_use = _open(invocation)
    if output == "json":
        invocation.print_json([{"name": name, "active": name == in_use} for name in document.profiles])
        return
    for name in document.profiles:
        invocation.print_line(Text(f"* {name}", "green") if name == in_use else Text(f"  {name}"))


@app.command
def create(name: str, /, *, source: Annotated[str | None, Parameter("--from")] = None, invocation: Injected) -> None:
    """Create a profile, empty or as a copy.

    Parameters
    ----------
    name
        The new profile's name.
    source
        Copy the settings of this profile.
    """
    _check_name(name)
    document, _ = _open(invocation)
    _refuse_taken(document, name)
    document.profiles[name] = dict(document.find(source)) if source else {}
    write_profiles(document)
    invocation.print_line(f"Created profile {name}. `headrace profile use {name}` puts it to use.")


@app.command
def use(name: str, /, *, invocation: Injected) -> None:
    """Put a profile to use from now on.

    Parameters
    ----------
    name
        The profile to use.
    """
    document, _ = _open(invocation)
    check_profile(name, document.find(name))
    document.active = name
    write_profiles(document)
    invocation.print_line(f"Profile {name} is in use.")
    chosen = invocation.environ.get("HEADRACE_PROFILE")
    if chosen and chosen != name:
        invocation.print_warning(f"HEADRACE_PROFILE in the environment asks for {chosen}, which goes before this.")


@app.command
def delete(name: str, /, *, invocation: Injected) -> None:
    """Delete a profile that is not in use.

    Parameters
    ----------
    name
        The profile to delete.
    """
    document, in_use = _open(invocation)
    document.find(name)
    if name in {document.active, in_use}:
        raise ConfigurationError(f"Profile {name} is in use; put another to use first: `headrace profile use <name>`.")
    if name == DEFAULT_PROFILE:
        raise ConfigurationError(f"Profile {name} is always there; `headrace config unset` empties it.")
    if not invocation.confirm(f"Delete profile {name}?"):
        raise ConfigurationError("Nothing was deleted.")
    del document.profiles[name]
    write_profiles(document)
    invocation.print_line(f"Deleted profile {name}.")


@app.command
def rename(name: str, new_name: str, /, *, invocation: Injected) -> None:
    """Rename a profile.

    Parameters
    ----------
    name
        The profile.
    new_name
        Its new name.
    """
    _check_name(new_name)
    document, _ = _open(invocation)
    document.find(name)
    _refuse_taken(document, new_name)
    document.profiles = {new_name if key == name else key: value for key, value in document.profiles.items()}
    if document.active == name:
        document.active = new_name
    write_profiles(document)
    invocation.print_line(f"Renamed profile {name} to {new_name}.")


@app.command
def populate_defaults(*, invocation: Injected) -> None:
    """Add the profiles that most people want; those that there are stay as they are.

    `default` records in the database directly; `local` asks the server on this machine.
    """
    document, _ = _open(invocation)
    added = [name for name in DEFAULTS if name not in document.profiles]
    for name in added:
        document.profiles[name] = dict(DEFAULTS[name])
    if added or not document.path.exists():
        write_profiles(document)
    for name in DEFAULTS:
        said = Text("  added       ", "green") if name in added else Text("  left alone  ", "yellow")
        invocation.print_line(said.append(name, "default"))


@app.command
def inspect(
    name: str | None = None,
    /,
    *,
    show_secrets: Flag = False,
    output: Output = None,
    invocation: Injected,
) -> None:
    """Show what a profile sets.

    Parameters
    ----------
    name
        The profile; without one, the profile in use.
    show_secrets
        Show keys and passwords as they are.
    """
    document, in_use = _open(invocation)
    name = name or in_use
    content = {
        key: text if show_secrets or key not in BY_ENV else BY_ENV[key].show(text) or ""
        for key, text in document.find(name).items()
    }
    if output == "json":
        invocation.print_json({"name": name, "active": name == in_use, "settings": content})
        return
    if not content:
        invocation.print_line(Text(f"Profile {name} sets nothing.", "bright_black"))
    for key, text in content.items():
        invocation.print_line(Text(key, "bold").append(f"={text}", "not bold"))


def _open(invocation: Invocation) -> tuple[Profiles, str]:
    """The profiles file, and the name of the profile in use."""
    path, chosen = locate_profiles(invocation.environ)
    document = read_profiles(path)
    return document, chosen or document.active


def _check_name(name: str) -> None:
    parse_setting(BY_ENV["HEADRACE_PROFILE"], name, "command line")


def _refuse_taken(document: Profiles, name: str) -> None:
    if name in document.profiles:
        raise ConfigurationError(f"There is a profile {name} already.")
