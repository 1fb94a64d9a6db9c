from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody

from headrace.schema.block import (
    BlockDocument,
    BlockDocumentCreate,
    BlockDocumentFilter,
    BlockDocumentSort,
    BlockDocumentUpdate,
    BlockSchema,
    BlockSchemaCreate,
    BlockSchemaFilter,
    BlockSelection,
    BlockType,
    BlockTypeCreate,
    BlockTypeFilter,
    BlockTypeUpdate,
    Rotation,
)
from headrace.schema.filters import TextFilter
from headrace.schema.listing import PlainListing
from headrace.server.auth import Permission, demand, identity_of, needs
from headrace.server.gateways import Office
from headrace.server.responses import created_or_found, note_arrival

READ, EDIT, RUN, MANAGE = Permission.READ, Permission.EDIT, Permission.RUN, Permission.MANAGE

Asked = Request[Any, Any, Any]


class BlockTypeListing(PlainListing, kw_only=True):
    """Asks for block types."""

    block_types: BlockTypeFilter | None = None
    block_schemas: BlockSchemaFilter | None = None


class BlockSchemaListing(PlainListing, kw_only=True):
    """Asks for block schemas."""

    block_schemas: BlockSchemaFilter | None = None


class BlockDocumentListing(PlainListing, kw_only=True):
    """Asks for blocks."""

    block_documents: BlockDocumentFilter | None = None
    block_types: BlockTypeFilter | None = None
    block_schemas: BlockSchemaFilter | None = None
    include_secrets: bool = False
    sort: BlockDocumentSort | None = BlockDocumentSort.NAME_ASC


def secrets_for(request: Asked, wanted: bool) -> bool:
    """Whether secrets are included. Raises 403 when they are wanted by somebody who may only look."""
    if wanted:
        demand(identity_of(request.scope), RUN)
    return wanted


@post("/api/block_types/", **needs(RUN))
def create_block_type(data: JSONBody[BlockTypeCreate], administration: Office) -> BlockType:
    return administration.create_block_type(data)


@get("/api/block_types/{block_type_id:str}", **needs(READ))
def read_block_type(block_type_id: FromPath[UUID], administration: Office) -> BlockType:
    return administration.read_block_type(block_type_id)


@get("/api/block_types/slug/{slug:str}", **needs(READ))
def read_block_type_by_slug(slug: FromPath[str], administration: Office) -> BlockType:
    return administration.read_block_type_by_slug(slug)


@post("/api/block_types/filter", status_code=200, **needs(READ))
def list_block_types(data: JSONBody[BlockTypeListing], administration: Office) -> list[BlockType]:
    selection = BlockSelection(block_types=data.block_types, block_schemas=data.block_schemas)
    return administration.list_block_types(selection, data.part)


@patch("/api/block_types/{block_type_id:str}", status_code=204, **needs(RUN))
def update_block_type(block_type_id: FromPath[UUID], data: JSONBody[BlockTypeUpdate], administration: Office) -> None:
    administration.update_block_type(block_type_id, data)


@delete("/api/block_types/{block_type_id:str}", **needs(EDIT))
def delete_block_type(block_type_id: FromPath[UUID], administration: Office) -> None:
    administration.delete_block_type(block_type_id)


@post("/api/block_types/install_system_block_types", status_code=200, **needs(RUN))
def install_block_types(administration: Office) -> None:
    administration.install_block_types()


@get("/api/block_types/slug/{slug:str}/block_documents", **needs(READ))
def list_documents_of_type(
    request: Asked, slug: FromPath[str], administration: Office, include_secrets: FromQuery[bool] = False
) -> list[BlockDocument]:
    """Return the blocks of the type of that slug."""
    block_type = administration.read_block_type_by_slug(slug)
    selection = BlockSelection(block_types=BlockTypeFilter(slug=TextFilter(any_=[block_type.slug])))
    return administration.list_block_documents(selection, include_secrets=secrets_for(request, include_secrets))


@get("/api/block_types/slug/{slug:str}/block_documents/name/{name:str}", **needs(READ))
def read_document_by_name(
    request: Asked,
    slug: FromPath[str],
    name: FromPath[str],
    administration: Office,
    include_secrets: FromQuery[bool] = False,
) -> BlockDocument:
    return administration.read_block_document_by_name(slug, name, secrets_for(request, include_secrets))


@post("/api/block_schemas/", **needs(RUN))
def create_block_schema(data: JSONBody[BlockSchemaCreate], administration: Office) -> Response[BlockSchema]:
    arrival = note_arrival()
    return created_or_found(administration.create_block_schema(data), arrival)


@get("/api/block_schemas/{schema_id:str}", **needs(READ))
def read_block_schema(schema_id: FromPath[UUID], administration: Office) -> BlockSchema:
    return administration.read_block_schema(schema_id)


@get("/api/block_schemas/checksum/{checksum:str}", **needs(READ))
def read_block_schema_by_checksum(
    checksum: FromPath[str], administration: Office, version: FromQuery[str | None] = None
) -> BlockSchema:
    return administration.read_block_schema_by_checksum(checksum, version)


@post("/api/block_schemas/filter", status_code=200, **needs(READ))
def list_block_schemas(data: JSONBody[BlockSchemaListing], administration: Office) -> list[BlockSchema]:
    return administration.list_block_schemas(BlockSelection(block_schemas=data.block_schemas), data.part)


@delete("/api/block_schemas/{schema_id:str}", **needs(EDIT))
def delete_block_schema(schema_id: FromPath[UUID], administration: Office) -> None:
    administration.delete_block_schema(schema_id)


@get("/api/block_capabilities/", **needs(READ))
def list_block_capabilities(administration: Office) -> list[str]:
    return administration.list_block_capabilities()


@post("/api/block_documents/", **needs(RUN))
def create_block_document(data: JSONBody[BlockDocumentCreate], administration: Office) -> BlockDocument:
    return administration.create_block_document(data)


@get("/api/block_documents/{document_id:str}", **needs(READ))
def read_block_document(
    request: Asked, document_id: FromPath[UUID], administration: Office, include_secrets: FromQuery[bool] = False
) -> BlockDocument:
    return administration.read_block_document(document_id, secrets_for(request, include_secrets))


@post("/api/block_documents/filter", status_code=200, **needs(READ))
def list_block_documents(
    request: Asked, data: JSONBody[BlockDocumentListing], administration: Office
) -> list[BlockDocument]:
    selection = BlockSelection(
        block_documents=data.block_documents, block_types=data.block_types, block_schemas=data.block_schemas
    )
    secrets = secrets_for(request, data.include_secrets)
    return administration.list_block_documents(selection, data.sort or BlockDocumentSort.NAME_ASC, data.part, secrets)


@post("/api/block_documents/count", status_code=200, **needs(READ))
def count_block_documents(data: JSONBody[BlockSelection], administration: Office) -> int:
    return administration.count_block_documents(data)


@patch("/api/block_documents/{document_id:str}", status_code=204, **needs(RUN))
def update_block_document(
    document_id: FromPath[UUID], data: JSONBody[BlockDocumentUpdate], administration: Office
) -> None:
    administration.update_block_document(document_id, data)


@delete("/api/block_documents/{document_id:str}", **needs(RUN))
def delete_block_document(document_id: FromPath[UUID], administration: Office) -> None:
    administration.delete_block_document(document_id)


@post("/api/block_documents/rotate_secrets", **needs(MANAGE))
def rotate_secrets(administration: Office) -> Rotation:
    return administration.rotate_secrets()


routes = [
    create_block_type,
    read_block_type,
    read_block_type_by_slug,
    list_block_types,
    update_block_type,
    delete_block_type,
    install_block_types,
    list_documents_of_type,
    read_document_by_name,
    create_block_schema,
    read_block_schema,
    read_block_schema_by_checksum,
    list_block_schemas,
    delete_block_schema,
    list_block_capabilities,
    create_block_document,
    read_block_document,
    list_block_documents,
    count_block_documents,
    update_block_document,
    delete_block_document,
    rotate_secrets,
]
