"""The parameters of a function as a JSON schema: what a form asks for, and what a run made by others is checked by.

pydantic and the reader of docstrings are imported when a schema is asked for, which scripts never do.
"""

from __future__ import annotations

import contextlib
import inspect
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from headrace.engine.parameters import Signature, make_adapter
from headrace.engine.sources import doc_of

if TYPE_CHECKING:
    from pydantic import TypeAdapter

REFERENCE = "#/definitions/{model}"
_VARIADIC = {inspect.Parameter.VAR_POSITIONAL: list[Any], inspect.Parameter.VAR_KEYWORD: dict[str, Any]}


def describe_parameters(signature: Signature) -> dict[str, Any]:
    """The JSON schema of an object with the function's parameters.

    A parameter without an annotation, or with one that says nothing in JSON, may be anything. Defaults that JSON cannot
    hold are left out; such a parameter is still not required.
    """
    parameters = signature.signature.parameters
    hints = signature.hints()
    described, definitions = _describe_types(
        {name: hints.get(name, _VARIADIC.get(parameter.kind)) for name, parameter in parameters.items()}
    )
    texts = _read_docstring(signature.function)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for position, (name, parameter) in enumerate(parameters.items()):
        schema = properties[name] = {**described[name], "title": name, "position": position}
        schema.pop("default", None)
        if parameter.kind in _VARIADIC:
            schema["default"] = [] if parameter.kind is parameter.VAR_POSITIONAL else {}
        elif parameter.default is parameter.empty:
            required.append(name)
        else:
            _set_default(schema, parameter.default)
        if texts.get(name):
            schema["description"] = texts[name]
    whole: dict[str, Any] = {"title": "Parameters", "type": "object", "properties": properties}
    if required:
        whole["required"] = required
    if definitions:
        whole["definitions"] = definitions
    return whole


def _describe_types(hints: dict[str, Any]) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """The schema of each annotation, and what they refer to."""
    from pydantic import TypeAdapter
    from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind

    class Lenient(GenerateJsonSchema):
        """What says nothing in JSON may be anything, and defaults that JSON cannot hold are left out without a word."""

        ignored_warning_kinds: set[JsonSchemaWarningKind] = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - the library's own way

        def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> dict[str, Any]:
            return {}

    adapters = {name: adapter for name, hint in hints.items() if (adapter := _find_adapter(hint, Lenient)) is not None}
    made, shared = TypeAdapter.json_schemas(
        [(name, "validation", adapter) for name, adapter in adapters.items()],
        ref_template=REFERENCE,
        schema_generator=Lenient,
    )
    described: dict[str, dict[str, Any]] = {name: {} for name in hints}
    described.update((name, dict(schema)) for (name, _), schema in made.items())
    return described, shared.get("$defs", {})


def _find_adapter(hint: Any, generator: Any) -> TypeAdapter[Any] | None:
    """What pydantic makes of an annotation, if it can make anything of it."""
    from pydantic.errors import PydanticUserError
    from pydantic_core import SchemaError

    if hint is None:
        return None
    try:
        adapter = make_adapter(hint)
        adapter.json_schema(schema_generator=generator)
    except (PydanticUserError, SchemaError, TypeError, ValueError, KeyError):
        return None
    return adapter


def _set_default(schema: dict[str, Any], default: Any) -> None:
    from pydantic_core import PydanticSerializationError, to_jsonable_python

    try:
        value = to_jsonable_python(default)
        json.dumps(value, allow_nan=False)
    except (PydanticSerializationError, ValueError, TypeError, RecursionError):
        return
    schema["default"] = value


def _read_docstring(function: Callable[..., Any]) -> dict[str, str]:
    """What the function's docstring says of its parameters, in any of the usual forms."""
    from docstring_parser import parse

    texts: dict[str, str] = {}
    # It stumbles over some, and nobody's docstring is a reason to refuse their flow.
    with contextlib.suppress(Exception):
        told = parse(doc_of(function) or "").params
        texts.update((each.arg_name.lstrip("*"), " ".join((each.description or "").split())) for each in told)
    return texts
