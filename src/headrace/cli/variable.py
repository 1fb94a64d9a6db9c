from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter
from msgspec import UNSET, DecodeError
from rich.text import Text

from headrace.base.errors import ConfigurationError, InvalidRequest, ObjectAlreadyExists
from headrace.cli.details import show_details
from headrace.cli.invocation import Flag, Injected, Output
from headrace.cli.lookup import read_pages
from headrace.cli.runs import Limit
from headrace.cli.tables import Column, fit_table
from headrace.cli.texts import one_line, say_instant, say_when
from headrace.cli.values import decode_shallow
from headrace.schema.variable import VariableCreate, VariableSort, VariableUpdate
from headrace.schema.wire import encode_json

app = App(name="variable", help_flags=["--help"])

Named = Annotated[str, Parameter(help="The variable's name.")]
LONGEST_NAME = 255


@app.command(name="set")
def set_(
    name: Named,
    value: Annotated[str, Parameter(help="Its value: JSON, or else the text it is.", allow_leading_hyphen=True)],
    /,
    *,
    overwrite: Annotated[Flag, Parameter(help="Set it anew if there is one of that name.")] = False,
    tag: Annotated[list[str] | None, Parameter(["--tag", "-t"], help="A tag; may be given again.")] = None,
    invocation: Injected,
) -> None:
    """Set a variable, which flows and project files read by its name."""
    if not 0 < len(name) <= LONGEST_NAME:
        raise InvalidRequest(f"A variable's name has 1 to {LONGEST_NAME} characters.")
    read = read_value(value)
    with invocation.administration() as administration:
        try:
            administration.create_variable(VariableCreate(name=name, value=read, tags=tag or []))
            done = "Set"
        except ObjectAlreadyExists:
            if not overwrite:
                raise ObjectAlreadyExists(
                    f"There is a variable called {name!r} already; --overwrite sets it anew."
                ) from None
            there = administration.read_variable_by_name(name)
            administration.update_variable(there.id, VariableUpdate(value=read, tags=UNSET if tag is None else tag))
            done = "Set anew"
    invocation.print_line(f"{done}: variable {one_line(name)}.")


@app.command
def get(name: Named, /, *, invocation: Injected) -> None:
    """Show the value of a variable, and nothing else: a text as it is, anything else as JSON."""
    with invocation.administration() as administration:
        value = administration.read_variable_by_name(name).value
    invocation.out.file.write(f"{say_value(value)}\n")


@app.command
def inspect(name: Named, /, *, output: Output = None, invocation: Injected) -> None:
    """Show a variable."""
    with invocation.administration() as administration:
        variable = administration.read_variable_by_name(name)
    if output == "json":
        invocation.print_json(variable)
        return
    details: list[tuple[str, str | Text]] = [
        ("ID", str(variable.id)),
        ("Value", encode_json(variable.value)),
        ("Tags", ", ".join(map(one_line, variable.tags))),
        ("Created", say_instant(variable.created, invocation.now)),
        ("Changed", say_instant(variable.updated, invocation.now)),
    ]
    shown = [(name, text) for name, text in details if text]
    invocation.print(Text("Variable ").append(one_line(variable.name), "bold"), show_details(shown, indent=2))


@app.command
def ls(*, limit: Limit = 200, output: Output = None, invocation: Injected) -> None:
    """List variables by name."""
    with invocation.administration() as administration:
        variables = read_pages(lambda page: administration.list_variables(sort=VariableSort.NAME_ASC, page=page), limit)
    if output == "json":
        invocation.print_json(variables)
        return
    if not variables:
        text = "There are no variables yet: `headrace variable set NAME VALUE` makes one."
        invocation.print(Text(text, "bright_black"))
        return
    columns = (Column("Name", least=24), Column("Value", least=24), Column("Tags", drop=2), Column("Changed", drop=1))
    rows = [
        [
            one_line(variable.name),
            one_line(encode_json(variable.value)),
            ", ".join(map(one_line, variable.tags)),
            say_when(variable.updated, invocation.now),
        ]
        for variable in variables
    ]
    invocation.print(fit_table(columns, rows, invocation.out.width))


@app.command(alias="delete")
def unset(name: Named, /, *, invocation: Injected) -> None:
    """Delete a variable. Asks first, when run in a terminal."""
    with invocation.administration() as administration:
        variable = administration.read_variable_by_name(name)
        if not invocation.confirm(f"Delete variable {one_line(name)}?"):
            raise ConfigurationError("Nothing was deleted.")
        administration.delete_variable(variable.id)
    invocation.print_line(f"Deleted variable {one_line(name)}.")


def read_value(text: str) -> Any:
    """The value that a text says: JSON, or else the text it is."""
    try:
        return decode_shallow(text, "The value")
    except DecodeError:
        return text


def say_value(value: Any) -> str:
    """A value for other programs to read."""
    return value if isinstance(value, str) else encode_json(value)
