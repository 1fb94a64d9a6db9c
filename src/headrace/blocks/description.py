"""What a class of blocks says of itself: the schema of its fields, which of them are secret, and which are other blocks."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, Secret, SecretBytes, SecretStr
from pydantic.json_schema import GenerateJsonSchema

from headrace.blocks.fields import SecretDict
from headrace.rules.blocks import ALL, checksum_of
from headrace.schema.block import NON_VERSIONED

OWN_MODULES = (
    "headrace.blocks.email",
    "headrace.blocks.notifications",
    "headrace.blocks.system",
    "headrace.blocks.webhook",
    "headrace.filesystems",
)
"""Where the classes of the types are that come with Headrace."""

_TOLD = (
    "_block_type_name",
    "_block_type_slug",
    "_logo_url",
    "_documentation_url",
    "_description",
    "_code_example",
    "_block_schema_capabilities",
    "_block_schema_version",
)
"""What a class says of itself, with or without an annotation."""


class Described(BaseModel):
    """What a class of blocks says of itself."""

    _block_type_name: ClassVar[str | None] = None
    _block_type_slug: ClassVar[str | None] = None
    _logo_url: ClassVar[Any] = None
    _documentation_url: ClassVar[Any] = None
    _description: ClassVar[str | None] = None
    _code_example: ClassVar[str | None] = None
    _block_schema_capabilities: ClassVar[list[str]] = []
    _block_schema_version: ClassVar[str | None] = None
    _is_contract: ClassVar[bool] = True

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """What a class says of itself without an annotation, pydantic has taken for each object's own."""
        super().__pydantic_init_subclass__(**kwargs)
        for name in _TOLD:
            private = cls.__private_attributes__.pop(name, None)
            if private is not None:
                setattr(cls, name, private.default)

    @classmethod
    def is_block_type(cls) -> bool:
        """Whether this class is a block type of its own, rather than what several have in common."""
        return not inspect.isabstract(cls) and not vars(cls).get("_is_contract", False)

    @classmethod
    def get_block_type_name(cls) -> str:
        """What people call the type."""
        return vars(cls).get("_block_type_name") or cls.__name__

    @classmethod
    def get_block_type_slug(cls) -> str:
        """What the type is called in references."""
        given = vars(cls).get("_block_type_slug")
        return given or re.sub(r"[^a-z0-9]+", "-", cls.get_block_type_name().lower()).strip("-")

    @classmethod
    def get_description(cls) -> str | None:
        """What the type is for: what it says, else its docstring."""
        own = vars(cls).get("_description") or (inspect.getdoc(cls) if cls.__doc__ else None)
        return own.strip() if own else None

    @classmethod
    def get_code_example(cls) -> str:
        """How the type is used: what it says, else how its blocks are loaded."""
        given = vars(cls).get("_code_example")
        variable = cls.get_block_type_slug().replace("-", "_")
        usual = (
            f'```python\nfrom {cls.__module__} import {cls.__name__}\n\n{variable} = {cls.__name__}.load("NAME")\n```'
        )
        return inspect.cleandoc(given) if given else usual

    @classmethod
    def get_block_capabilities(cls) -> frozenset[str]:
        """What blocks of the type can be used for; what any class it is derived from says holds for it as well."""
        return frozenset(each for above in cls.__mro__ for each in vars(above).get("_block_schema_capabilities", ()))

    @classmethod
    def get_block_schema_version(cls) -> str:
        """The version of the type's fields."""
        return cls._block_schema_version or NON_VERSIONED

    @classmethod
    def get_about(cls) -> dict[str, str | None]:
        """What is told of the type, beside its name and slug."""
        return {
            "logo_url": _text(cls._logo_url),
            "documentation_url": _text(cls._documentation_url),
            "description": cls.get_description(),
            "code_example": cls.get_code_example(),
        }


class _Generator(GenerateJsonSchema):
    """Leaves out defaults that JSON cannot hold, secrets among them, without a word."""

    ignored_warning_kinds: ClassVar[Any] = {"skipped-choice", "non-serializable-default"}


def describe_fields(block: type[Described]) -> dict[str, Any]:
    """The JSON schema of a class of blocks, in the contract's form."""
    told = block.model_json_schema(ref_template="#/definitions/{model}", schema_generator=_Generator)
    defined: dict[str, Any] = told.pop("$defs", {})
    nested = {each.__name__: each for each in _walk_blocks(block)}
    definitions = {
        name: _describe(nested[name], schema) if name in nested else schema for name, schema in defined.items()
    }
    described = _describe(block, told)
    return {**described, "definitions": definitions} if definitions else described


def _describe(block: type[Described], told: dict[str, Any]) -> dict[str, Any]:
    """What pydantic tells of a class of blocks, with what blocks are beside that."""
    for position, field in enumerate(told.get("properties", {}).values()):
        field["position"] = position
        _drop_open(field)
    _drop_open(told)
    references: dict[str, Any] = {}
    for name, inner in list_block_fields(block):
        reference = {
            "block_type_slug": inner.get_block_type_slug(),
            "block_schema_checksum": checksum_of(describe_fields(inner)),
        }
        known = references.setdefault(name, reference)
        if known != reference:
            references[name] = [*(known if isinstance(known, list) else [known]), reference]  # pyright: ignore[reportUnknownVariableType]
    return {
        **told,
        "block_type_slug": block.get_block_type_slug(),
        "block_schema_references": references,
        "secret_fields": list_secrets(block),
    }


def _drop_open(schema: dict[str, Any]) -> None:
    """Leave out that there may be more: of blocks that holds anyway, and it would change their checksums."""
    if schema.get("additionalProperties") is True:
        del schema["additionalProperties"]


def list_secrets(model: type[BaseModel], around: frozenset[Any] = frozenset()) -> list[str]:
    """The ways to the secret parts of a model's values."""
    if model in around:
        return []
    found = (
        (f"{_written(name, field)}.{way}" if way else _written(name, field))
        for name, field in model.model_fields.items()
        for way in _find_secrets(field.annotation, around | {model})
    )
    return list(dict.fromkeys(found))


def _find_secrets(annotation: Any, around: frozenset[Any]) -> Iterator[str]:
    """The ways from a value of this type to what is secret in it; an empty one if it is secret itself."""
    kind = get_origin(annotation) or annotation
    if isinstance(kind, type) and issubclass(kind, SecretDict):
        yield ALL
    elif isinstance(kind, type) and issubclass(kind, (SecretStr, SecretBytes, Secret)):
        yield ""
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from [ALL] if _is_any_block(annotation) else list_secrets(annotation, around)
    elif kind is dict:
        if any(True for each in get_args(annotation) for _ in _find_secrets(each, around)):
            yield ALL
    else:
        for each in get_args(annotation):
            yield from _find_secrets(each, around)


def list_block_fields(block: type[Described]) -> Iterator[tuple[str, type[Described]]]:
    """The fields that are other blocks, each with the classes it may be of."""
    for name, field in block.model_fields.items():
        for inner in _find_blocks(field.annotation):
            yield _written(name, field), inner


def _find_blocks(annotation: Any) -> Iterator[type[Described]]:
    if isinstance(annotation, type) and issubclass(annotation, Described):
        if not _is_any_block(annotation):
            yield annotation
    elif get_origin(annotation) in {Union, types.UnionType, list, tuple, set, dict}:
        for each in get_args(annotation):
            yield from _find_blocks(each)


def _walk_blocks(block: type[Described], around: frozenset[Any] = frozenset()) -> Iterator[type[Described]]:
    """The classes of blocks that one consists of."""
    for _, inner in list_block_fields(block):
        if inner not in around:
            yield inner
            yield from _walk_blocks(inner, around | {inner})


def _is_any_block(model: type[BaseModel]) -> bool:
    """Whether a class of blocks stands for whatever is derived from it."""
    return issubclass(model, Described) and not model.is_block_type()


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _written(name: str, field: Any) -> str:
    return field.serialization_alias or field.alias or name


def reveal(model: BaseModel) -> dict[str, Any]:
    """The values of a model as JSON has them, its secrets included; the blocks among them by `refer` or whole."""
    dumped = model.model_dump(mode="json", by_alias=True)
    for name, field in type(model).model_fields.items():
        key = _written(name, field)
        if key in dumped:
            dumped[key] = _reveal(getattr(model, name), dumped[key])
    for name, value in (model.model_extra or {}).items():
        dumped[name] = _reveal(value, dumped[name])
    return dumped


def _reveal(value: Any, dumped: Any) -> Any:
    """What was dumped of a value, with the secrets in it as they are."""
    match value:
        case SecretStr() | Secret():
            from pydantic_core import to_jsonable_python

            return to_jsonable_python(cast("Any", value).get_secret_value())
        case SecretBytes():
            return value.get_secret_value().decode()
        case Described():
            return {**reveal(value), "block_type_slug": type(value).get_block_type_slug()}
        case BaseModel():
            return reveal(value)
        case dict() if isinstance(dumped, dict) and len(cast("Any", dumped)) == len(cast("Any", value)):
            items = zip(cast("dict[str, Any]", dumped).items(), cast("dict[Any, Any]", value).values(), strict=True)
            return {key: _reveal(each, written) for (key, written), each in items}
        case list() | tuple() | set() | frozenset() if isinstance(dumped, list):
            pairs = zip(cast("list[Any]", value), cast("list[Any]", dumped), strict=True)
            return [_reveal(each, written) for each, written in pairs]
        case _:
            return cast("Any", dumped)


def find_undeclared(block: BaseModel, declared: Sequence[str]) -> list[str]:
    """The ways to secrets in a block's values that its class does not name: in fields of any type, say."""
    found = dict.fromkeys(_walk_secrets(block, ()))
    return [way for way in found if not any(_covers(known, way) for known in declared)]


def _walk_secrets(value: Any, way: tuple[str, ...]) -> Iterator[str]:
    """The ways to the secrets in a value."""
    match value:
        case SecretDict():
            yield ".".join((*way, ALL))
        case SecretStr() | SecretBytes() | Secret():
            yield ".".join(way)
        case BaseModel():
            fields = type(value).model_fields
            for name, field in fields.items():
                yield from _walk_secrets(getattr(value, name), (*way, _written(name, field)))
            yield from _walk_secrets(value.model_extra, way)
        case dict():
            for key, each in cast("dict[Any, Any]", value).items():
                yield from _walk_secrets(each, (*way, ALL if "." in str(key) else str(key)))
        case list() | tuple() | set() | frozenset():
            for each in cast("list[Any]", value):
                yield from _walk_secrets(each, way)
        case _:
            return


def _covers(declared: str, way: str) -> bool:
    """Whether what is at the end of one way is masked with what is at the end of another."""
    whole = declared.removesuffix(f".{ALL}")
    return way == declared or f"{way}.".startswith(f"{whole}.")
