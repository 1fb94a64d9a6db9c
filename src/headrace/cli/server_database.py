from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from headrace.base.errors import ConfigurationError
from headrace.cli.invocation import Flag, Injected, Invocation, Output
from headrace.storage.upkeep import BASE, Upkeep, find_revision

app = App(name="database", help="The schema of the database in use, copies of it, and whether it is whole.")

Yes = Annotated[bool, Parameter(name=["--yes", "-y"], negative=(), show_default=False, help="Do not ask.")]
Revision = Annotated[str, Parameter(name=["--revision", "-r"])]


@app.command
def upgrade(*, revision: Revision = "head", dry_run: Flag = False, yes: Yes = False, invocation: Injected) -> None:
    """Bring the schema to a newer revision, or make the database. Servers and scripts do so when they open it, too.

    Parameters
    ----------
    revision
        Which revision; the newest unless one is named.
    dry_run
        Say what would be done, and do nothing.
    """
    upkeep, wanted = _open(invocation), find_revision(revision)
    if _is_to_go(invocation, upkeep, f"to {wanted}", wanted, dry_run, yes):
        upkeep.upgrade(revision)
        invocation.print_line(f"{upkeep.name} has schema {wanted} now.")


@app.command
def downgrade(*, revision: Revision, dry_run: Flag = False, yes: Yes = False, invocation: Injected) -> None:
    """Bring the schema back to an older revision; what only newer ones keep is lost. Asks first, when run in a terminal.

    Whatever opens the database with this version of Headrace brings it forward again.

    Parameters
    ----------
    revision
        Which revision, such as 0006; `base` deletes all tables.
    dry_run
        Say what would be done, and do nothing.
    """
    upkeep, wanted = _open(invocation), find_revision(revision)
    if _is_to_go(invocation, upkeep, f"back to {wanted}", wanted, dry_run, yes):
        upkeep.downgrade(revision)
        told = "has no tables any more" if wanted == BASE else f"has schema {wanted} now"
        invocation.print_line(f"{upkeep.name} {told}.")


@app.command
def reset(*, yes: Yes = False, invocation: Injected) -> None:
    """Delete everything in the database, and make it anew. Asks first, when run in a terminal."""
    upkeep = _open(invocation)
    if not yes and not invocation.confirm(f"Delete everything in {upkeep.name}?"):
        raise ConfigurationError("Nothing was deleted.")
    upkeep.reset()
    invocation.print_line(f"{upkeep.name} is empty now.")


@app.command
def stamp(revision: str, /, *, invocation: Injected) -> None:
    """Say that the schema is of a revision, and change nothing else: for a database that was changed by hand.

    Parameters
    ----------
    revision
        Which revision, such as 0006, or `head`.
    """
    upkeep = _open(invocation)
    upkeep.stamp(revision)
    invocation.print_line(f"{upkeep.name} is marked as schema {find_revision(revision)}.")


@app.command
def backup(target: Path, /, *, invocation: Injected) -> None:
    """Copy an SQLite database to a new file, as it is at one moment, while it is used.

    Parameters
    ----------
    target
        The file to make; one that exists is never replaced.
    """
    upkeep = _open(invocation)
    target = target.expanduser().absolute()
    upkeep.back_up(target)
    invocation.print_line(f"{upkeep.name} was copied to {target}.")


@app.command
def check(*, output: Output = None, invocation: Injected) -> None:
    """Look whether the database is whole and has this version's schema; exit code 1 if something is wrong."""
    upkeep = _open(invocation)
    faults = upkeep.check()
    revision = None if faults else upkeep.read_revision()
    if output == "json":
        invocation.print_json({"database": upkeep.name, "revision": revision, "faults": faults})
    elif not faults:
        invocation.print_line(f"{upkeep.name} is whole and has schema {revision}.")
    for fault in faults if output is None else ():
        invocation.print_line(fault)
    if faults:
        sys.exit(1)


def _is_to_go(invocation: Invocation, upkeep: Upkeep, where: str, wanted: str, dry_run: bool, yes: bool) -> bool:
    """Whether the schema is to be changed; else it is said why not. Raises `ConfigurationError` where people say no."""
    found = upkeep.read_revision()
    what = f"from schema {found or 'none'} {where}"
    if found == wanted:
        invocation.print_line(f"{upkeep.name} has schema {wanted} already.")
        return False
    if dry_run:
        invocation.print_line(f"{upkeep.name} would go {what}.")
        return False
    if not yes and not invocation.confirm(f"Have {upkeep.name} go {what}?"):
        raise ConfigurationError("Nothing was changed.")
    return True


def _open(invocation: Invocation) -> Upkeep:
    # Imported when needed: this module is loaded with every `headrace server` command.
    from headrace.connect import open_upkeep

    return open_upkeep(invocation.settings)
