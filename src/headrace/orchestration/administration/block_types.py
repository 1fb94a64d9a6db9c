"""Block types and their schemas; those that come with Headrace are put there when blocks are first asked for."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from msgspec import UNSET

from headrace.base.clock import SYSTEM, Clock
from headrace.base.errors import ConfigurationError, InvalidRequest, NotAuthorized, ObjectAlreadyExists, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.orchestration.administration.office import Office, checked
from headrace.orchestration.blocks import pack, unpack
from headrace.orchestration.unit import Unit
from headrace.outbound.vault import Vault
from headrace.rules.blocks import checksum_of, secret_fields_of
from headrace.schema.block import (
    NON_VERSIONED,
    PLAIN,
    READABLE,
    BlockSchema,
    BlockSchemaCreate,
    BlockSelection,
    BlockType,
    BlockTypeCreate,
    BlockTypeUpdate,
)
from headrace.schema.run import Page
from headrace.schema.wire import decode_json, encode_json
from headrace.schema.workspace import DEFAULT_SCOPE, Scope
from headrace.storage import blocks as queries
from headrace.storage.block_rows import (
    BlockDocumentRow,
    BlockSchemaRow,
    BlockTypeRow,
    to_block_schema,
    to_block_type,
)
from headrace.storage.database import Database
from headrace.storage.texts import storable, storable_json

CATALOGUE = Path(__file__).with_name("block_types.json")
"""The types that come with Headrace, and their schemas. `python -m headrace.blocks.catalogue` writes it."""

RESERVED = ("prefect", "headrace")
"""How no name of a type that people make begins."""

Row = TypeVar("Row", BlockTypeRow, BlockSchemaRow, BlockDocumentRow)
_NOUNS = {BlockTypeRow: "block type", BlockSchemaRow: "block schema", BlockDocumentRow: "block"}


class BlockTypeVerbs(Office):
    """The verbs on block types and schemas."""

    def __init__(
        self, database: Database, scope: Scope = DEFAULT_SCOPE, clock: Clock = SYSTEM, vault: Vault | None = None
    ) -> None:
        super().__init__(database, scope, clock)
        self._secrets = vault
        self._installed = False

    @property
    def _vault(self) -> Vault:
        if self._secrets is None:
            raise ConfigurationError("No key for secrets was given.")
        return self._secrets

    def install_block_types(self) -> None:
        if self._installed:
            return
        wanted = [each["checksum"] for each in read_catalogue()]
        there = self._desk.read(lambda unit: queries.list_checksums(unit.connection, unit.workspace_id, wanted))
        if not there.issuperset(wanted):
            self._desk.write(_install)
        self._installed = True

    def create_block_type(self, block_type: BlockTypeCreate) -> BlockType:
        refuse_strange(block_type.slug, PLAIN, "slug", "A block type's slug is lower-case letters, digits and dashes")
        refuse_strange(block_type.name, READABLE, "name", "A block type's name has none of / % & > < in it")
        if block_type.name.lower().startswith(RESERVED):
            raise NotAuthorized(f"Names that begin with {block_type.name[:8]!r} are reserved: {block_type.name!r}.")

        def create(unit: Unit) -> BlockType | None:
            row = BlockTypeRow(
                id=uuid7(),
                name=storable(block_type.name),
                slug=block_type.slug,
                **_about(block_type),
                is_protected=False,
                created=unit.now,
                updated=unit.now,
            )
            return to_block_type(row) if queries.insert(unit.connection, unit.workspace_id, row) else None

        self.install_block_types()
        made = self._desk.write(create)
        if made is None:
            raise ObjectAlreadyExists(f"There is a block type {block_type.slug!r} already.")
        return made

    def read_block_type(self, block_type_id: UUID) -> BlockType:
        self.install_block_types()
        return self._desk.read(lambda unit: to_block_type(require_type(unit, block_type_id)))

    def read_block_type_by_slug(self, slug: str) -> BlockType:
        def read(unit: Unit) -> BlockType:
            row = queries.find_type(unit.connection, unit.workspace_id, storable(slug))
            if row is None:
                raise ObjectNotFound(f"There is no block type {slug!r}.")
            return to_block_type(row)

        self.install_block_types()
        return self._desk.read(read)

    def list_block_types(self, selection: BlockSelection | None = None, page: Page = Page()) -> list[BlockType]:
        part, wanted = checked(page), selection or BlockSelection()

        def list_them(unit: Unit) -> list[BlockType]:
            return [to_block_type(row) for row in queries.list_types(unit.connection, unit.workspace_id, wanted, part)]

        self.install_block_types()
        return self._desk.read(list_them)

    def update_block_type(self, block_type_id: UUID, update: BlockTypeUpdate) -> None:
        def change(unit: Unit) -> None:
            row = require_type(unit, block_type_id)
            queries.change(unit.connection, unit.workspace_id, row, {**_about(update), "updated": unit.now})

        self._desk.write(change)

    def delete_block_type(self, block_type_id: UUID) -> None:
        def delete(unit: Unit) -> None:
            row = require_type(unit, block_type_id)
            _refuse_protected(row)
            queries.remove(unit.connection, unit.workspace_id, row)

        self._desk.write(delete)

    def create_block_schema(self, schema: BlockSchemaCreate) -> BlockSchema:
        checksum = checksum_of(schema.fields)

        def create(unit: Unit) -> BlockSchema:
            block_type = require_type(unit, schema.block_type_id)
            row = BlockSchemaRow(
                id=uuid7(),
                block_type_id=block_type.id,
                checksum=checksum,
                fields=storable_json(schema.fields),
                capabilities=storable_json(schema.capabilities),
                version=storable(schema.version),
                created=unit.now,
                updated=unit.now,
            )
            connection, workspace_id = unit.connection, unit.workspace_id
            there = queries.find_schema(connection, workspace_id, checksum, row.version, block_type.id)
            if there is None:
                queries.insert(connection, workspace_id, row)
                there = queries.find_schema(connection, workspace_id, checksum, row.version, block_type.id) or row
            there = _seal_more(unit, self._vault, there, secret_fields_of(schema.fields))
            return to_block_schema(there, to_block_type(block_type))

        self.install_block_types()
        return self._desk.write(create)

    def read_block_schema(self, schema_id: UUID) -> BlockSchema:
        self.install_block_types()
        return self._desk.read(lambda unit: _show(unit, [require(unit, BlockSchemaRow, schema_id)])[0])

    def read_block_schema_by_checksum(self, checksum: str, version: str | None = None) -> BlockSchema:
        def read(unit: Unit) -> BlockSchema:
            row = queries.find_schema(
                unit.connection, unit.workspace_id, storable(checksum), None if version is None else storable(version)
            )
            if row is None:
                of = "" if version is None else f" of version {version!r}"
                raise ObjectNotFound(f"There is no block schema{of} with checksum {checksum!r}.")
            return _show(unit, [row])[0]

        self.install_block_types()
        return self._desk.read(read)

    def list_block_schemas(self, selection: BlockSelection | None = None, page: Page = Page()) -> list[BlockSchema]:
        part, wanted = checked(page), selection or BlockSelection()

        def list_them(unit: Unit) -> list[BlockSchema]:
            return _show(unit, queries.list_schemas(unit.connection, unit.workspace_id, wanted, part))

        self.install_block_types()
        return self._desk.read(list_them)

    def list_block_capabilities(self) -> list[str]:
        self.install_block_types()
        return self._desk.read(lambda unit: queries.list_capabilities(unit.connection, unit.workspace_id))

    def delete_block_schema(self, schema_id: UUID) -> None:
        def delete(unit: Unit) -> None:
            row = require(unit, BlockSchemaRow, schema_id)
            _refuse_protected(require_type(unit, row.block_type_id))
            queries.remove(unit.connection, unit.workspace_id, row)

        self._desk.write(delete)


@cache
def read_catalogue() -> list[dict[str, Any]]:
    """The types that come with Headrace, each with its schema and the schema's checksum."""
    told: list[dict[str, Any]] = json.loads(CATALOGUE.read_bytes())
    return [{**each, "checksum": checksum_of(each["fields"])} for each in told]


def refuse_strange(text: str, pattern: str, field: str, rule: str) -> None:
    """Raise `InvalidRequest` for a text that does not look as it has to, or is longer than 255 characters."""
    if not re.fullmatch(pattern.strip("^$"), text):
        raise InvalidRequest(f"{rule}, not {text!r:.60}.", [([field], f"{rule}.")])


def require(unit: Unit, kind: type[Row], wanted: UUID) -> Row:
    """The row with this id. Raises `ObjectNotFound`."""
    row = queries.fetch(unit.connection, unit.workspace_id, kind, [wanted]).get(wanted)
    if row is None:
        raise ObjectNotFound(f"There is no {_NOUNS[kind]} with id {wanted}.")
    return row


def require_type(unit: Unit, block_type_id: UUID) -> BlockTypeRow:
    """The block type with this id. Raises `ObjectNotFound`."""
    return require(unit, BlockTypeRow, block_type_id)


def _install(unit: Unit) -> None:
    """Put what is missing of the catalogue where it belongs; what other clients made of its types stays as it is."""
    connection, workspace_id, now = unit.connection, unit.workspace_id, unit.now
    for told in read_catalogue():
        about = {name: told.get(name) for name in ("logo_url", "documentation_url", "description", "code_example")}
        row = BlockTypeRow(
            id=uuid7(), name=told["name"], slug=told["slug"], **about, is_protected=True, created=now, updated=now
        )
        queries.insert(connection, workspace_id, row)
        there = queries.find_type(connection, workspace_id, row.slug) or row
        if not there.is_protected:
            queries.change(connection, workspace_id, there, {"is_protected": True})
        schema = BlockSchemaRow(
            id=uuid7(),
            block_type_id=there.id,
            checksum=told["checksum"],
            fields=encode_json(told["fields"]),
            capabilities=encode_json(told["capabilities"]),
            version=NON_VERSIONED,
            created=now,
            updated=now,
        )
        queries.insert(connection, workspace_id, schema)


def _seal_more(unit: Unit, vault: Vault, schema: BlockSchemaRow, secret: list[str]) -> BlockSchemaRow:
    """The schema, which says that these fields are secret too: that alone does not make another one of it.

    What has been kept of such fields so far is sealed.
    """
    fields = decode_json(schema.fields)
    known = secret_fields_of(fields)
    new = [way for way in secret if way not in known]
    if not new:
        return schema
    connection, workspace_id = unit.connection, unit.workspace_id
    grown = schema._replace(fields=storable_json({**fields, "secret_fields": known + new}), updated=unit.now)
    queries.change(connection, workspace_id, schema, {"fields": grown.fields, "updated": unit.now})
    for row in queries.list_documents_of_schema(connection, workspace_id, schema.id):
        data = unpack(vault, workspace_id, row)
        queries.change(connection, workspace_id, row, pack(vault, workspace_id, row.id, data, grown.fields))
    return grown


def _about(told: BlockTypeCreate | BlockTypeUpdate) -> dict[str, Any]:
    """What a request says of a block type, beside its name and slug."""
    said = {name: getattr(told, name) for name in ("logo_url", "documentation_url", "description", "code_example")}
    return {
        name: storable(value) if isinstance(value, str) else value for name, value in said.items() if value is not UNSET
    }


def _refuse_protected(block_type: BlockTypeRow) -> None:
    if block_type.is_protected:
        raise NotAuthorized(f"Block type {block_type.slug!r} came with Headrace, and is protected.")


def _show(unit: Unit, rows: list[BlockSchemaRow]) -> list[BlockSchema]:
    """Schemas as they are answered."""
    types = queries.fetch(unit.connection, unit.workspace_id, BlockTypeRow, (row.block_type_id for row in rows))
    return [to_block_schema(row, to_block_type(types[row.block_type_id])) for row in rows]
