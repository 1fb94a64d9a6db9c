"""The source of a module with a class for each deployment, whose parameters a type checker knows."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from msgspec import Struct, field

from headrace.cli.texts import one_line

HEADER = (
    '"""Deployments, typed. Written by `headrace sdk generate`: what is changed here is lost when it is written anew.'
)

PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
FORMATS = {
    "date-time": ("datetime", "datetime"),
    "date": ("datetime", "date"),
    "time": ("datetime", "time"),
    "duration": ("datetime", "timedelta"),
    "uuid": ("uuid", "UUID"),
}
"""Texts that are written from values of these types, each with its module."""

LONGEST_DESCRIPTION = 100

Schema = Mapping[str, Any]


class Described(Struct, frozen=True):
    """What is to be known of a deployment: `flow/name`, and what its parameters are."""

    full_name: str
    description: str
    schema: Schema
    given: frozenset[str]
    """The parameters that the deployment gives itself."""


class _Writer(Struct):
    """The module as it grows: its lines, the names that are taken, and what it imports."""

    lines: list[str] = field(default_factory=list[str])
    names: set[str] = field(default_factory=set[str])
    imports: dict[str, set[str]] = field(default_factory=dict[str, set[str]])

    def need(self, module: str, name: str) -> str:
        self.imports.setdefault(module, set()).add(name)
        return name

    def name(self, wanted: str) -> str:
        """A name that nothing else in the module has."""
        chosen, number = wanted, 1
        while chosen in self.names or keyword.iskeyword(chosen):
            number += 1
            chosen = f"{wanted}_{number}"
        self.names.add(chosen)
        return chosen


def write_source(deployments: Iterable[Described]) -> str:
    """The module. The same deployments, in whatever order, make the same source."""
    writer = _Writer(names={"FlowRun", "RunOptions", "arun_deployment", "run_deployment", *TYPING, *TIMES})
    writer.need("headrace.deployments", "arun_deployment")
    writer.need("headrace.deployments", "run_deployment")
    writer.need("headrace.deployments.running", "RunOptions")
    writer.need("headrace.schema.run", "FlowRun")
    for name in ("Final", "TypedDict", "Unpack"):
        writer.need("typing", name)
    instances = [_write_deployment(writer, each) for each in sorted(deployments, key=lambda each: each.full_name)]
    exported = "".join(f'    "{name}",\n' for name in sorted(name for pair in instances for name in pair))
    head = [
        HEADER,
        "",
        "`run` waits until the run has ended and returns it, `arun` does so in async code.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        *_write_imports(writer),
        "",
        f"__all__ = [\n{exported}]",
        "",
        "_NO_OPTIONS: RunOptions = {}",
    ]
    return "\n".join([*head, *writer.lines]) + "\n"


TYPING = ("Any", "Final", "Literal", "Required", "TypedDict", "Unpack")
TIMES = tuple(name for _, name in FORMATS.values())
STANDARD = ("datetime", "typing", "uuid")


def _write_imports(writer: _Writer) -> list[str]:
    def say(module: str) -> str:
        return f"from {module} import {', '.join(sorted(writer.imports[module]))}"

    standard = [say(module) for module in sorted(writer.imports) if module in STANDARD]
    return [*standard, "", *(say(module) for module in sorted(writer.imports) if module not in STANDARD)]


def _write_deployment(writer: _Writer, told: Described) -> tuple[str, str]:
    """Write the classes of a deployment, and the instance that people use; return the names of both."""
    words = [word for word in re.split(r"\W+|_", told.full_name) if word]
    class_name = writer.name(_identifier("".join(word[:1].upper() + word[1:] for word in words)))
    parameters = writer.name(f"{class_name}Parameters")
    types = _Types(writer, class_name, cast("Schema", told.schema.get("definitions") or told.schema.get("$defs") or {}))
    properties = cast("Schema", told.schema.get("properties", {}))
    required = {name for name in told.schema.get("required", ()) if name not in told.given}
    _write_dict(writer, parameters, f"The parameters of {told.full_name}.", properties, required, types)
    about = one_line(told.description)
    shown = f"{told.full_name}: {about}" if about else told.full_name
    signature = f"self, options: RunOptions = _NO_OPTIONS, /, **parameters: Unpack[{parameters}]"
    writer.lines += [
        "",
        "",
        f"class {class_name}:",
        f"    {_docstring(shown)}",
        "",
        f"    name: Final = {_literal(told.full_name)}",
        "",
        f"    def run({signature}) -> FlowRun:",
        "        return run_deployment(self.name, parameters, **options)",
        "",
        f"    async def arun({signature}) -> FlowRun:",
        "        return await arun_deployment(self.name, parameters, **options)",
    ]
    instance = writer.name(_identifier("_".join(words).lower()))
    writer.lines += ["", "", f"{instance}: Final = {class_name}()"]
    return class_name, instance


def _write_dict(writer: _Writer, name: str, about: str, properties: Schema, required: set[str], types: _Types) -> None:
    """Write a dictionary with known keys. Those that are no names of Python's are written in the other form there is."""
    entries = [(key, types.say(value), key in required) for key, value in properties.items()]
    told = [(key, _require(writer, text) if needed else text) for key, text, needed in entries]
    if all(key.isidentifier() and not keyword.iskeyword(key) for key, _ in told):
        lines = [f"    {key}: {text}" for key, text in told]
        body = [f"    {_docstring(about)}", *([""] if lines else []), *lines]
        writer.lines += ["", "", f"class {name}(TypedDict, total=False):", *body]
        return
    pairs = [f"        {_literal(key)}: {_literal(text)}," for key, text in told]
    writer.lines += [
        "",
        "",
        f"{name} = TypedDict(",
        f"    {_literal(name)},",
        "    {",
        *pairs,
        "    },",
        "    total=False,",
        ")",
    ]


def _require(writer: _Writer, text: str) -> str:
    return f"{writer.need('typing', 'Required')}[{text}]"


class _Types:
    """The types of what a schema of parameters describes; each definition becomes a type of its own when it is met."""

    def __init__(self, writer: _Writer, prefix: str, definitions: Schema) -> None:
        self._writer = writer
        self._prefix = prefix
        self._definitions = definitions
        self._named: dict[str, str] = {}

    def say(self, schema: Any) -> str:
        """The type, as an annotation."""
        if not isinstance(schema, dict):
            return self._any()
        told = cast("dict[str, Any]", schema)
        if "$ref" in told:
            return self._refer(str(told["$ref"]).rpartition("/")[2])
        if "const" in told:
            return self._literals([told["const"]])
        if isinstance(told.get("enum"), list):
            return self._literals(told["enum"])
        for key in ("anyOf", "oneOf"):
            if told.get(key):
                return self._unite([self.say(each) for each in told[key]])
        if isinstance(told.get("allOf"), list) and len(told["allOf"]) == 1:
            return self.say(told["allOf"][0])
        kinds = told.get("type")
        if isinstance(kinds, list):
            return self._unite([self._say_kind(str(kind), told) for kind in cast("list[Any]", kinds)])
        return self._say_kind(str(kinds), told)

    def _say_kind(self, kind: str, told: Schema) -> str:
        match kind:
            case "string" if told.get("format") in FORMATS:
                return f"str | {self._writer.need(*FORMATS[told['format']])}"
            case "array":
                return f"list[{self.say(told.get('items'))}]"
            case "object":
                return f"dict[str, {self.say(told.get('additionalProperties'))}]"
            case _:
                return PLAIN.get(kind) or self._any()

    def _refer(self, name: str) -> str:
        """The type of a definition, which may refer to itself."""
        if name not in self._definitions:
            return self._any()
        if name in self._named:
            return self._named[name] or self._any()
        told: Any = self._definitions[name]
        inner = cast("dict[str, Any]", told) if isinstance(told, dict) else {}
        properties = inner.get("properties")
        if not isinstance(properties, dict):
            # What is no object is written in its place, so that no alias has to be defined before it is used.
            self._named[name] = ""
            self._named[name] = self.say(told)
            return self._named[name]
        plain = re.sub(r"\W", "", name)
        chosen = self._named[name] = self._writer.name(_identifier(f"{self._prefix}{plain}"))
        required = set(cast("Sequence[str]", inner.get("required", ())))
        _write_dict(self._writer, chosen, f"What {name} is made of.", cast("Schema", properties), required, self)
        return chosen

    def _literals(self, values: Sequence[Any]) -> str:
        if values and all(value is None or isinstance(value, (str, int, bool)) for value in values):
            shown = ", ".join(_literal(value) if isinstance(value, str) else repr(value) for value in values)
            return f"{self._writer.need('typing', 'Literal')}[{shown}]"
        return self._any()

    def _unite(self, parts: Sequence[str]) -> str:
        several = list(dict.fromkeys(part for part in parts))
        return self._any() if "Any" in several else " | ".join(several)

    def _any(self) -> str:
        return self._writer.need("typing", "Any")


def _identifier(text: str) -> str:
    """A name of Python's that is like the text."""
    name = re.sub(r"\W", "_", text)
    return name if name.isidentifier() else f"deployment_{name}" if name[:1].islower() else f"Deployment{name}"


def _literal(text: str) -> str:
    """A text as a literal."""
    return ascii(text).replace("'", '"') if not set(text) & {"'", '"', "\\"} else ascii(text)


def _docstring(text: str) -> str:
    cut = text if len(text) <= LONGEST_DESCRIPTION else f"{text[: LONGEST_DESCRIPTION - 1]}…"
    escaped = cut.replace("\\", "\\\\").replace('"', "'").strip()
    return f'"""{escaped}{"" if escaped.endswith((".", "…", "!", "?")) else "."}"""'
