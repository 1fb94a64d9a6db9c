from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.text import Text

from headrace.base.errors import ConfigurationError, InvalidRequest, ObjectAlreadyExists, ObjectNotFound
from headrace.cli.block_type import app as type_app
from headrace.cli.block_type import find_block_type, find_schema
from headrace.cli.details import show_details
from headrace.cli.invocation import Flag, Injected, Output
from headrace.cli.lookup import choose_named, read_id, read_pages, say_meant
from headrace.cli.runs import Limit
from headrace.cli.tables import Column, fit_table
from headrace.cli.texts import one_line, say_count, say_instant, say_when
from headrace.cli.values import read_object, read_pairs
from headrace.gateway.administration import Administration
from headrace.rules.arguments import check_block
from headrace.rules.blocks import find_reference
from headrace.schema.block import (
    DOCUMENT_ID,
    REFERENCE,
    BlockDocument,
    BlockDocumentCreate,
    BlockDocumentSort,
    BlockDocumentUpdate,
    BlockSchema,
    BlockSelection,
    BlockTypeFilter,
)
from headrace.schema.filters import TextFilter
from headrace.schema.wire import encode_json

app = App(name="block", help_flags=["--help"])
app.command(type_app)

Named = Annotated[str, Parameter(help="The block: `type-slug/name`, or its id.")]
Id = Annotated[str | None, Parameter("--id", help="The block's id, instead of its name.")]


@app.command
def ls(
    *,
    type_: Annotated[str | None, Parameter(["--type", "-t"], help="Only blocks of the type with this slug.")] = None,
    limit: Limit = 200,
    output: Output = None,
    invocation: Injected,
) -> None:
    """List blocks by type and name. Secrets are masked."""
    selection = BlockSelection(block_types=BlockTypeFilter(slug=TextFilter(any_=[type_])) if type_ else None)
    with invocation.administration() as administration:
        if type_ is not None:
            find_block_type(administration, type_)
        order = BlockDocumentSort.BLOCK_TYPE_AND_NAME_ASC
        found = read_pages(lambda page: administration.list_block_documents(selection, order, page), limit)
    if output == "json":
        invocation.print_json(found)
        return
    if not found:
        text = (
            'There are no blocks yet: Secret(value="…").save("name") in Python makes one, or `headrace block create`.'
        )
        invocation.print(Text(text, "bright_black"))
        return
    columns = (Column("Type"), Column("Name"), Column("Data", least=24, drop=2), Column("Changed", drop=1))
    rows = [
        [
            _slug(each),
            one_line(each.name or ""),
            one_line(encode_json(each.data)),
            say_when(each.updated, invocation.now),
        ]
        for each in found
    ]
    invocation.print(fit_table(columns, rows, invocation.out.width))


@app.command
def inspect(
    name: Named | None = None,
    /,
    *,
    id_: Id = None,
    secrets: Annotated[Flag, Parameter(help="Show secrets as they are.")] = False,
    output: Output = None,
    invocation: Injected,
) -> None:
    """Show a block. Secrets are masked."""
    with invocation.administration() as administration:
        found = find_block(administration, choose_named(name, id_, "block"), secrets)
    if output == "json":
        invocation.print_json(found)
        return
    about: list[tuple[str, str | Text]] = [
        ("ID", str(found.id)),
        ("Type", one_line(found.block_type_name or "")),
        ("Created", say_instant(found.created, invocation.now)),
        ("Changed", say_instant(found.updated, invocation.now)),
    ]
    within = found.block_document_references
    values: list[tuple[str, str | Text]] = [
        (one_line(key), one_line(value if isinstance(value, str) else encode_json(value)))
        for key, value in found.data.items()
    ]
    kept = [
        (f"{one_line(key)} is", f"{each.block_document.block_type.slug}/{each.block_document.name}")
        for key, each in within.items()
    ]
    invocation.print(Text("Block ").append(_path(found), "bold"), show_details(about, indent=2))
    invocation.print(Text("Data", "bold"), show_details([*values, *kept], indent=2))


@app.command
def create(
    slug: Annotated[str, Parameter(help="The slug of the type: `headrace block type ls` lists them.")],
    name: Annotated[str, Parameter(help="Its name: lower-case letters, digits and dashes.")],
    /,
    *,
    set_: Annotated[
        tuple[str, ...],
        Parameter(["--set", "-s"], negative=(), show_default=False, help="A field, as name=value; may be given again."),
    ] = (),
    data: Annotated[
        str | None,
        Parameter(help="All fields, as a JSON object; `-` reads it from the input.", allow_leading_hyphen=True),
    ] = None,
    overwrite: Annotated[Flag, Parameter(help="Save it anew if there is one of that name.")] = False,
    invocation: Injected,
) -> None:
    """Save a block. What is secret is better read from the input (`--data -`) than written in a command line.

    A field that is another block is given as `type-slug/name`.
    """
    given = {} if data is None else read_object(data, "--data")
    with invocation.administration() as administration:
        block_type = find_block_type(administration, slug)
        schema = find_schema(administration, block_type)
        if schema is None:
            raise InvalidRequest(
                f"Block type {slug!r} has no fields yet: register its class with `headrace block register`."
            )
        given |= _read_fields(administration, set_, schema)
        _check_fields(schema, given)
        asked = BlockDocumentCreate(name=name, data=given, block_schema_id=schema.id, block_type_id=block_type.id)
        try:
            administration.create_block_document(asked)
            done = "Saved"
        except ObjectAlreadyExists:
            if not overwrite:
                raise ObjectAlreadyExists(
                    f"There is a block {slug}/{name} already; --overwrite saves it anew."
                ) from None
            there = administration.read_block_document_by_name(slug, name)
            update = BlockDocumentUpdate(block_schema_id=schema.id, data=given, merge_existing_data=False)
            administration.update_block_document(there.id, update)
            done = "Saved anew"
    invocation.print_line(f"{done}: block {slug}/{name}.")


@app.command
def delete(name: Named | None = None, /, *, id_: Id = None, invocation: Injected) -> None:
    """Delete a block. Asks first, when run in a terminal."""
    with invocation.administration() as administration:
        found = find_block(administration, choose_named(name, id_, "block"))
        if not invocation.confirm(f"Delete block {_path(found)}?"):
            raise ConfigurationError("Nothing was deleted.")
        administration.delete_block_document(found.id)
    invocation.print_line(f"Deleted block {_path(found)}.")


@app.command
def register(
    *,
    module: Annotated[str | None, Parameter(["--module", "-m"], help="The module that has the classes.")] = None,
    file: Annotated[Path | None, Parameter(["--file", "-f"], help="The file that has the classes.")] = None,
    invocation: Injected,
) -> None:
    """Make the block types of a module or file known, with the fields that their blocks have."""
    if (module is None) == (file is None):
        raise InvalidRequest("Name either a module with --module or a file with --file.")
    from headrace.blocks.core import Block, register_with
    from headrace.projects.entrypoints import load_place

    place, loaded = load_place(str(module if file is None else Path.cwd() / file), Path.cwd())
    classes = [
        each
        for each in vars(loaded).values()
        if isinstance(each, type)
        and issubclass(each, Block)
        and each.__module__ == loaded.__name__
        and each.is_block_type()
    ]
    if not classes:
        raise InvalidRequest(f"There is no class of blocks in {place}.")
    with invocation.administration() as administration:
        for each in classes:
            register_with(each, administration)
    names = ", ".join(sorted(each.get_block_type_slug() for each in classes))
    invocation.print_line(f"Registered {say_count(len(classes), 'block type')}: {names}.")


@app.command
def rotate_secrets(*, invocation: Injected) -> None:
    """Seal all secrets with a new key.

    The server does, or without one this process, with the key file in its home; keys in HEADRACE_SECRETS_KEY are given by you:
    put the new one before the others first.
    """
    with invocation.administration() as administration:
        rotation = administration.rotate_secrets()
    sealed = say_count(rotation.resealed, "block")
    invocation.print_line(f"Sealed the secrets of {sealed} anew, with key {rotation.key_id}.")


def find_block(administration: Administration, named: str, secrets: bool = False) -> BlockDocument:
    """The block that a text names. Raises `ObjectNotFound`, which says what may have been meant."""
    document_id = read_id(named)
    if document_id is not None:
        return administration.read_block_document(document_id, secrets)
    slug, slash, name = named.partition("/")
    if not slash:
        raise InvalidRequest(f"{named!r} is no block: write type-slug/name, or an id.")
    find_block_type(administration, slug)
    try:
        return administration.read_block_document_by_name(slug, name, secrets)
    except ObjectNotFound:
        of_type = BlockSelection(block_types=BlockTypeFilter(slug=TextFilter(any_=[slug])))
        known = {_path(each): _path(each) for each in administration.list_block_documents(of_type)}
        raise ObjectNotFound(f"There is no block {named!r}{say_meant(named, known)}") from None


def _read_fields(administration: Administration, pairs: Sequence[str], schema: BlockSchema) -> dict[str, Any]:
    """What `name=value` texts say. Where a field takes a text, that is what it is; where it is a block, it is referred to."""
    texts = {pair.partition("=")[0].strip(): pair.partition("=")[2] for pair in pairs}
    properties = schema.fields.get("properties", {})
    found = read_pairs(pairs, "--set")
    for name, text in texts.items():
        if name in schema.fields.get("block_schema_references", {}):
            inner = find_block(administration, text)
            found[name] = {REFERENCE: {DOCUMENT_ID: str(inner.id)}}
        elif _takes_text(properties.get(name, {})):
            found[name] = text
    return found


def _takes_text(told: Mapping[str, Any]) -> bool:
    return told.get("type") == "string" or any(_takes_text(each) for each in told.get("anyOf", ()))


def _check_fields(schema: BlockSchema, given: Mapping[str, Any]) -> None:
    """Refuse fields that the type does not have, and values that it does not take; other blocks were looked at."""
    properties = schema.fields.get("properties", {})
    for name in given:
        if name not in properties:
            raise InvalidRequest(
                f"Blocks of this type have no field {name!r}; they have {', '.join(properties) or 'none'}."
            )
    plain = {name: value for name, value in given.items() if find_reference(value) is None}
    required = [name for name in schema.fields.get("required", []) if name in plain or name not in given]
    check_block({**schema.fields, "required": required}, plain)


def _slug(found: BlockDocument) -> str:
    return found.block_type.slug if found.block_type is not None else ""


def _path(found: BlockDocument) -> str:
    return f"{_slug(found)}/{found.name}"
