from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.text import Text

from headrace.base.errors import ConfigurationError
from headrace.cli.invocation import Injected, Invocation

if TYPE_CHECKING:
    from headrace.projects.recipes import Begun

Name = Annotated[str | None, Parameter(help="What the project is called; by default as its folder.")]
Recipe = Annotated[
    str | None,
    Parameter(
        help="How the code comes to where it runs: local (this folder) or git (a clone). By default git in a clone."
    ),
]
Fields = Annotated[
    list[str] | None,
    Parameter(
        name=["--field", "-f"],
        negative=(),
        help="A value of the recipe, as name=value: directory for local; repository and branch for git. May be repeated.",
    ),
]


def init(*, name: Name = None, recipe: Recipe = None, field: Fields = None, invocation: Injected) -> None:
    """Begin a project in this folder: write headrace.yaml and .headraceignore. Nothing that is there is overwritten."""
    begin(invocation, name=name, recipe=recipe, field=field, older=False)


def begin(
    invocation: Invocation, *, name: str | None, recipe: str | None, field: list[str] | None, older: bool
) -> None:
    """Write a project's first files and tell of each whether it was written or is left alone."""
    from headrace.projects.recipes import RECIPES, init_project

    used, files = init_project(Path.cwd(), name=name, recipe=recipe, fields=_read_fields(field or []), older=older)
    for file in files:
        said = Text("  written     ", "green") if file.written else Text("  left alone  ", "yellow")
        invocation.print_line(said.append(file.name, "default"))
    _tell_next(invocation, files, f"{used}: {RECIPES[used].title}")


def _tell_next(invocation: Invocation, files: Sequence[Begun], recipe: str) -> None:
    if files[0].written:
        invocation.print_line(f"Recipe {recipe}")
    else:
        invocation.print_line(f"{files[0].name} is as it was.")
    invocation.print("", Text("Next", "bold"))
    invocation.print_line("  headrace deploy path/to/file.py:function -n NAME")


def _read_fields(given: Sequence[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for assignment in given:
        key, equals, value = assignment.partition("=")
        if not equals or not key or not value:
            raise ConfigurationError(f"--field {assignment!r} gives nothing a value: write --field name=value.")
        fields[key] = value
    return fields
