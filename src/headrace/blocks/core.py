"""What a block is: a pydantic model whose instances are kept under a name, for flows, projects and people to share.

    class Account(Block):
        user: str
        password: SecretStr

    Account(user="me", password="…").save("mine")
    Account.load("mine").password.get_secret_value()

What is secret (`SecretStr`, `SecretDict`, `pydantic.Secret`) is kept sealed and shown masked. A field may be another block: one
that was saved is kept as a reference, and is loaded as it is then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any, ClassVar, Self, TypeVar, cast
from uuid import UUID

from pydantic import ConfigDict, PrivateAttr, ValidationError, model_validator

from headrace.base.errors import (
    InvalidBlockRegistration,
    ObjectAlreadyExists,
    ObjectNotFound,
    UnknownBlockType,
    UsageError,
)
from headrace.blocks.description import (
    OWN_MODULES,
    Described,
    describe_fields,
    find_undeclared,
    list_block_fields,
    reveal,
)
from headrace.connect import open_session
from headrace.engine.here import session_here
from headrace.engine.opening import set_opener
from headrace.gateway.administration import Administration
from headrace.rules.blocks import find_reference
from headrace.schema.block import (
    DOCUMENT_ID,
    REFERENCE,
    BlockDocument,
    BlockDocumentCreate,
    BlockDocumentUpdate,
    BlockReference,
    BlockSchema,
    BlockSchemaCreate,
    BlockType,
    BlockTypeCreate,
    BlockTypeUpdate,
)

__all__ = ["Block"]

T = TypeVar("T")

SLUG_KEY = "block_type_slug"
"""The key by which the data of a block says what it is of."""

_NAME = re.compile(r"[a-z0-9-]{1,255}")
_known: dict[str, type[Block]] = {}

set_opener(open_session)


class Block(Described):
    """The base of all blocks. A class derived from it is a block type of its own, called by its name in lower case.

    `_block_type_name`, `_block_type_slug`, `_logo_url`, `_documentation_url`, `_description` and `_code_example` say more
    about it. Those of its methods that ask the orchestrator have twins for coroutines: `asave`, `aload` and so on.
    """

    model_config = ConfigDict(extra="allow")

    _is_contract: ClassVar[bool] = True

    _block_document_id: UUID | None = PrivateAttr(None)
    _block_document_name: str | None = PrivateAttr(None)
    _is_anonymous: bool | None = PrivateAttr(None)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if cls.is_block_type():
            _known[cls.get_block_type_slug()] = cls

    @model_validator(mode="wrap")
    @classmethod
    def _choose_class(cls, value: Any, validate: Callable[[Any], Self]) -> Any:
        """Data that says what it is of becomes that, wherever a class above it is asked for; a reference is loaded."""
        if not isinstance(value, dict):
            return validate(value)
        told = cast("dict[str, Any]", value)
        if find_reference(told) is not None:
            return cls.load_from_ref(told[REFERENCE])
        if SLUG_KEY not in told or SLUG_KEY in cls.model_fields:
            return validate(told)
        slug = told[SLUG_KEY]
        data = {name: each for name, each in told.items() if name != SLUG_KEY}
        if cls.is_block_type() and slug == cls.get_block_type_slug():
            return validate(data)
        chosen = cls.get_block_class_from_key(slug)
        if not issubclass(chosen, cls):
            raise ValueError(f"a block of type {slug!r} is no {cls.__name__}")  # noqa: TRY004 - what pydantic understands
        return chosen.model_validate(data)

    # what class is of which type

    @classmethod
    def get_block_class_from_key(cls, key: str) -> type[Self]:
        """The class of a block type, by its slug. Raises `UnknownBlockType` for one that this process does not know."""
        if key not in _known:
            for module in OWN_MODULES:
                import_module(module)
        found = _known.get(key)
        if found is None:
            raise UnknownBlockType(f"No class here is of block type {key!r}: import the module that defines it.")
        return cast("type[Self]", found)

    @classmethod
    def get_block_class_from_schema(cls, schema: BlockSchema) -> type[Self]:
        """The class of a block type, by one of its schemas. Raises `UnknownBlockType`."""
        return cls.get_block_class_from_key(schema.fields.get(SLUG_KEY, ""))

    def get_block_placeholder(self) -> str:
        """What stands for this block in project files and job variables. Raises `UsageError` unless it was saved."""
        if self._block_document_name is None or self._is_anonymous:
            raise UsageError(f"This {type(self).__name__} has no name yet: save it first.")
        return f"headrace.blocks.{self.get_block_type_slug()}/{self._block_document_name}"

    # save, load, delete

    @classmethod
    def register_type_and_schema(cls) -> None:
        """Make the type known to the orchestrator, with the schema of its fields, and so those of the blocks in it.

        Raises `InvalidBlockRegistration` for a class that is no type of its own.
        """
        register_with(cls, _administration())

    def save(self, name: str | None = None, overwrite: bool = False) -> UUID:
        """Keep this block under a name of lower-case letters, digits and dashes, and return its id.

        Without a name it is the one it was saved or loaded under. Raises `ObjectAlreadyExists` when there is one of that
        name and type, unless it may be overwritten; `UsageError` for what cannot be a name.
        """
        chosen = name or self._block_document_name
        if chosen is None:
            raise UsageError(f"This {type(self).__name__} has no name yet: save it under one.")
        if not isinstance(chosen, str) or not _NAME.fullmatch(chosen):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UsageError(f"A block's name is 1 to 255 lower-case letters, digits and dashes, not {chosen!r:.60}.")
        return self._save(chosen, overwrite=overwrite)

    def _save(self, name: str | None = None, is_anonymous: bool = False, overwrite: bool = False) -> UUID:
        """Keep this block, under a name or anonymously."""
        office = _administration()
        block_type, schema = register_with(type(self), office, self)
        data = self._to_data()
        asked = BlockDocumentCreate(
            name=name,
            data=data,
            block_schema_id=schema.id,
            block_type_id=block_type.id,
            is_anonymous=is_anonymous,
        )
        try:
            kept = office.create_block_document(asked)
        except ObjectAlreadyExists:
            if not overwrite:
                raise ObjectAlreadyExists(
                    f"There is a block of type {block_type.slug!r} called {name!r} already; overwrite=True saves it anew."
                ) from None
            kept = office.read_block_document_by_name(block_type.slug, str(name))
            change = BlockDocumentUpdate(block_schema_id=schema.id, data=data, merge_existing_data=False)
            office.update_block_document(kept.id, change)
        self._note(kept.id, kept.name, kept.is_anonymous)
        return kept.id

    @classmethod
    def load(cls, name: str, validate: bool = True) -> Self:
        """The block of this type that was saved under a name; `Block.load("type-slug/name")` for one of any type.

        Raises `ObjectNotFound` when there is none, `UnknownBlockType` when no class here is of its type, and `UsageError`
        when what was saved does not fit the class any more: without `validate` it is loaded all the same, and what is
        missing is None.
        """
        slug, slash, own = name.rpartition("/")
        if not slash:
            if not cls.is_block_type():
                raise UsageError(f"{cls.__name__} is not one type: load {name!r} as 'type-slug/{name}'.")
            slug = cls.get_block_type_slug()
        document = _administration().read_block_document_by_name(slug, own, include_secrets=True)
        return cls._from_document(document, validate)

    @classmethod
    def load_from_ref(cls, ref: str | UUID | Mapping[str, Any], validate: bool = True) -> Self:
        """The block that a reference names: its id, `"type-slug/name"`, or one of `{"block_document_id": …}`,
        `{"block_document_slug": …}` and `{"block_type_slug": …, "block_document_name": …}`. Raises as `load`.
        """
        if isinstance(ref, Mapping):
            if DOCUMENT_ID in ref:
                ref = cast("str | UUID", ref[DOCUMENT_ID])
            elif "block_document_slug" in ref:
                ref = cast("str", ref["block_document_slug"])
            elif {SLUG_KEY, "block_document_name"} <= ref.keys():
                ref = f"{ref[SLUG_KEY]}/{ref['block_document_name']}"
            else:
                raise UsageError(
                    f"{dict(ref)!r:.80} names no block: give its block_document_id or block_document_slug."
                )
        try:
            document_id = ref if isinstance(ref, UUID) else UUID(str(ref))
        except ValueError:
            return cls.load(str(ref), validate)
        return cls._from_document(_administration().read_block_document(document_id, include_secrets=True), validate)

    @classmethod
    def delete(cls, name: str) -> None:
        """Delete the block of this type that was saved under a name. Raises `ObjectNotFound` when there is none."""
        slug, slash, own = name.rpartition("/")
        office = _administration()
        found = office.read_block_document_by_name(slug if slash else cls.get_block_type_slug(), own)
        office.delete_block_document(found.id)

    @classmethod
    async def aregister_type_and_schema(cls) -> None:
        """As `register_type_and_schema`."""
        await _beside(cls.register_type_and_schema)

    async def asave(self, name: str | None = None, overwrite: bool = False) -> UUID:
        """As `save`."""
        return await _beside(partial(self.save, name, overwrite))

    @classmethod
    async def aload(cls, name: str, validate: bool = True) -> Self:
        """As `load`."""
        return await _beside(partial(cls.load, name, validate))

    @classmethod
    async def aload_from_ref(cls, ref: str | UUID | Mapping[str, Any], validate: bool = True) -> Self:
        """As `load_from_ref`."""
        return await _beside(partial(cls.load_from_ref, ref, validate))

    @classmethod
    async def adelete(cls, name: str) -> None:
        """As `delete`."""
        await _beside(partial(cls.delete, name))

    # between a block and its document

    def _to_data(self) -> dict[str, Any]:
        """What is kept of this block: its values, with references in the place of blocks that were saved."""
        data = reveal(self)
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if isinstance(value, Block) and value._block_document_id is not None:
                key = field.serialization_alias or field.alias or name
                data[key] = {REFERENCE: {DOCUMENT_ID: str(value._block_document_id)}}
        return data

    @classmethod
    def _from_document(cls, document: BlockDocument, validate: bool) -> Self:
        slug = cast("BlockType", document.block_type).slug
        if cls.is_block_type():
            if slug != cls.get_block_type_slug():
                raise UsageError(f"Block {document.name!r} is of type {slug!r}, not a {cls.__name__}.")
            chosen = cls
        else:
            chosen = cls.get_block_class_from_key(slug)
            if not issubclass(chosen, cls):
                raise UsageError(f"Block {document.name!r} is of type {slug!r}, which is no {cls.__name__}.")
        data = _say_slugs(document.data, document.block_document_references)
        try:
            made = chosen.model_validate(data)
        except ValidationError as error:
            if validate:
                problem = error.errors()[0]
                where = ".".join(map(str, problem["loc"]))
                raise UsageError(
                    f"Block {slug}/{document.name} does not fit {chosen.__name__}: {where}: {problem['msg']}; "
                    "load it with validate=False, and save it anew."
                ) from None
            made = chosen.model_construct(**{**dict.fromkeys(chosen.model_fields), **data})
        made._note(document.id, document.name, document.is_anonymous)
        _note_references(made, document.block_document_references)
        return made

    def _note(self, document_id: UUID, name: str | None, is_anonymous: bool) -> None:
        """Remember which document this block is."""
        self._block_document_id = document_id
        self._block_document_name = name
        self._is_anonymous = is_anonymous


def register_with(
    block: type[Block], office: Administration, example: Block | None = None
) -> tuple[BlockType, BlockSchema]:
    """Make a class of blocks known, those in its fields first; what is secret in an example is so in its schema.

    What comes with Headrace says the same of itself everywhere.
    """
    if not block.is_block_type():
        raise InvalidBlockRegistration(f"{block.__name__} is no block type: derive one from it.")
    for _, inner in list_block_fields(block):
        register_with(cast("type[Block]", inner), office)
    slug = block.get_block_type_slug()
    about: dict[str, Any] = block.get_about()
    try:
        kept = office.read_block_type_by_slug(slug)
    except ObjectNotFound:
        kept = office.create_block_type(BlockTypeCreate(name=block.get_block_type_name(), slug=slug, **about))
    if not kept.is_protected and any(getattr(kept, name) != value for name, value in about.items()):
        office.update_block_type(kept.id, BlockTypeUpdate(**about))
    fields = describe_fields(block)
    if example is not None:
        fields["secret_fields"] += find_undeclared(example, fields["secret_fields"])
    schema = BlockSchemaCreate(
        fields=fields,
        block_type_id=kept.id,
        capabilities=sorted(block.get_block_capabilities()),
        version=block.get_block_schema_version(),
    )
    return kept, office.create_block_schema(schema)


def _say_slugs(data: dict[str, Any], references: Mapping[str, BlockReference]) -> dict[str, Any]:
    """The data, where what came from other blocks says what it is of."""
    told = dict(data)
    for name, reference in references.items():
        inner = reference.block_document
        within = _say_slugs(cast("dict[str, Any]", data[name]), inner.block_document_references)
        told[name] = {**within, SLUG_KEY: inner.block_type.slug}
    return told


def _note_references(block: Block, references: Mapping[str, BlockReference]) -> None:
    """Remember which documents the blocks in a block are."""
    fields = type(block).model_fields
    names = {field.alias or name: name for name, field in fields.items()}
    for key, reference in references.items():
        inner, told = getattr(block, names.get(key, key), None), reference.block_document
        if isinstance(inner, Block):
            inner._note(told.id, told.name, told.is_anonymous)  # pyright: ignore[reportPrivateUsage]
            _note_references(inner, told.block_document_references)


def _administration() -> Administration:
    return session_here().administration


async def _beside(function: Callable[[], T]) -> T:
    from headrace.engine.loop import beside

    return await beside(function)
