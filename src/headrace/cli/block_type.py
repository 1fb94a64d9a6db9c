from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, cast

from cyclopts import App, Parameter
from rich.text import Text

from headrace.base.errors import ConfigurationError, ObjectNotFound
from headrace.cli.details import show_details
from headrace.cli.invocation import Injected, Output
from headrace.cli.lookup import CANDIDATES, read_pages, say_meant
from headrace.cli.runs import Limit
from headrace.cli.tables import Column, fit_table
from headrace.cli.texts import one_line, say_instant, say_when
from headrace.gateway.administration import Administration
from headrace.schema.block import BlockSchema, BlockSchemaFilter, BlockSelection, BlockType
from headrace.schema.filters import IdFilter
from headrace.schema.run import Page

app = App(name="type", help="Types of blocks: list, inspect and delete them.", help_flags=["--help"])

Slug = Annotated[str, Parameter(help="The type's slug.")]


@app.command
def ls(*, limit: Limit = 200, output: Output = None, invocation: Injected) -> None:
    """List block types by name."""
    with invocation.administration() as administration:
        types = read_pages(lambda page: administration.list_block_types(page=page), limit)
    if output == "json":
        invocation.print_json(types)
        return
    columns = (
        Column("Slug"),
        Column("Name", least=16),
        Column("Description", least=24),
        Column("From", drop=2),
        Column("Changed", drop=1),
    )
    rows = [
        [
            each.slug,
            one_line(each.name),
            one_line(each.description or ""),
            "Headrace" if each.is_protected else "",
            say_when(each.updated, invocation.now),
        ]
        for each in types
    ]
    invocation.print(fit_table(columns, rows, invocation.out.width))


@app.command
def inspect(slug: Slug, /, *, output: Output = None, invocation: Injected) -> None:
    """Show a block type, and the fields that its blocks have."""
    with invocation.administration() as administration:
        found = find_block_type(administration, slug)
        schema = find_schema(administration, found)
    if output == "json":
        invocation.print_json({"block_type": found, "block_schema": schema})
        return
    about: list[tuple[str, str | Text]] = [
        ("ID", str(found.id)),
        ("Name", one_line(found.name)),
        ("Description", one_line(found.description or "")),
        ("From", "Headrace" if found.is_protected else ""),
        ("Used for", ", ".join(map(one_line, schema.capabilities)) if schema else ""),
        ("Changed", say_instant(found.updated, invocation.now)),
    ]
    shown = [(name, text) for name, text in about if text]
    invocation.print(Text("Block type ").append(one_line(found.slug), "bold"), show_details(shown, indent=2))
    if schema is not None:
        columns = (Column("Field"), Column("Kind", least=12), Column("Needed", drop=1), Column("Description", least=24))
        rows = [[one_line(cell) for cell in row] for row in _tell_fields(schema.fields)]
        invocation.print(fit_table(columns, rows, invocation.out.width))


@app.command
def delete(slug: Slug, /, *, invocation: Injected) -> None:
    """Delete a block type with all blocks of it. Asks first, when run in a terminal."""
    with invocation.administration() as administration:
        found = find_block_type(administration, slug)
        if not invocation.confirm(f"Delete block type {found.slug}, and all blocks of it?"):
            raise ConfigurationError("Nothing was deleted.")
        administration.delete_block_type(found.id)
    invocation.print_line(f"Deleted block type {found.slug}.")


def find_block_type(administration: Administration, slug: str) -> BlockType:
    """The block type of a slug. Raises `ObjectNotFound`, which says what may have been meant."""
    try:
        return administration.read_block_type_by_slug(slug)
    except ObjectNotFound:
        known = read_pages(lambda page: administration.list_block_types(page=page), CANDIDATES)
        meant = say_meant(slug, {each.slug: each.slug for each in known})
        raise ObjectNotFound(f"There is no block type {slug!r}{meant}") from None


def find_schema(administration: Administration, block_type: BlockType) -> BlockSchema | None:
    """The newest schema of a block type."""
    of_type = BlockSelection(block_schemas=BlockSchemaFilter(block_type_id=IdFilter(any_=[block_type.id])))
    return next(iter(administration.list_block_schemas(of_type, Page(1))), None)


def _tell_fields(fields: Mapping[str, Any]) -> list[list[str]]:
    """A row for each field of a schema."""
    required = fields.get("required", [])
    secret = {str(way).partition(".")[0] for way in fields.get("secret_fields", [])}
    properties = cast("dict[str, dict[str, Any]]", fields.get("properties", {}))
    return [
        [
            name,
            f"{_say_kind(told)}{', secret' if name in secret else ''}",
            "yes" if name in required else "",
            str(told.get("description", "")),
        ]
        for name, told in sorted(properties.items(), key=lambda each: each[1].get("position", 0))
    ]


def _say_kind(told: Mapping[str, Any]) -> str:
    """What kind of value a field takes, in a word."""
    if "$ref" in told:
        return str(told["$ref"]).rpartition("/")[2]
    if "enum" in told:
        return " | ".join(map(str, told["enum"]))
    several = [_say_kind(each) for each in told.get("anyOf", ())]
    return " | ".join(dict.fromkeys(several)) or str(told.get("type", "any"))
