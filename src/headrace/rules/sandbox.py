"""The sandbox of templates (`rules.templates`): what they may name, and how much they may do.

Jinja's own sandbox keeps templates from Python's insides. What it leaves open is closed here: only filters, functions and
methods that are listed exist; every value that is made is measured as it is made, so that none can double and double again;
every step is counted, against the clock as well. Macros, blocks and other templates do not exist.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from html import escape
from itertools import islice
from typing import Any, ClassVar, cast

from jinja2 import ChainableUndefined, Environment, Template, TemplateSyntaxError, Undefined, nodes, pass_context
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from headrace.rules.cloud_events import from_cloud_event
from headrace.rules.work import LARGEST, LARGEST_NUMBER, TemplateError, Work, bound, bound_bits, measure
from headrace.schema.wire import encode_json

SOURCE = "<template>"
"""What tracebacks call a template."""
EACH, MADE, JOINED = " each of", " made", " joined"
"""Filters that no template can write, which measure loops, literals and texts put together."""

FILTERS = frozenset(
    {
        "abs", "capitalize", "count", "d", "default", "dictsort", "first", "float", "groupby", "int", "items", "last",
        "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "round", "select",
        "selectattr", "sort", "string", "title", "trim", "truncate", "unique", "upper", "urlencode", "wordcount",
    }
)  # fmt: skip
"""The filters of Jinja's that there are. Beside them there are those that are defined here."""

METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(
        {
            "capitalize", "count", "endswith", "find", "isalpha", "isdigit", "lower", "lstrip", "removeprefix",
            "removesuffix", "rstrip", "split", "splitlines", "startswith", "strip", "title", "upper",
        }
    ),
    dict: frozenset({"get", "items", "keys", "values"}),
    date: frozenset(
        {
            "date", "day", "hour", "isoformat", "microsecond", "minute", "month", "second", "strftime", "time",
            "timestamp", "weekday", "year",
        }
    ),
    timedelta: frozenset({"days", "seconds", "total_seconds"}),
    LoopContext: frozenset(
        {
            "changed", "cycle", "depth", "depth0", "first", "index", "index0", "last", "length", "nextitem",
            "previtem", "revindex", "revindex0",
        }
    ),
}  # fmt: skip
"""What may be asked of values, by their type."""

ABSENT: Mapping[type[nodes.Node], str] = {
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.Block: "block",
    nodes.Extends: "extends",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from",
}
"""What of Jinja there is not."""

_PLACES = re.compile(r"%(?:%|[-+ 0#]*(\d*)(?:\.(\d+))?[sdifgexXGE])")


class Json(str):
    """A text that is JSON already."""

    __slots__ = ()


def _take(value: Any) -> Any:
    """What was made, in whole, measured: views and what is made piece by piece are lists."""
    if not isinstance(value, _PLAIN) and isinstance(value, Iterable):
        value = list(islice(cast("Iterable[Any]", value), LARGEST))
    return measure(value)


_PLAIN = (str, dict, list, tuple, Undefined, Namespace)


def _check_arguments(values: Iterable[Any]) -> None:
    """Refuse arguments that would make a function do too much."""
    for value in values:
        if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
            raise TemplateError(f"{LARGEST_NUMBER} is the largest number that may be said here.")


class Sandbox(ImmutableSandboxedEnvironment):
    """What templates are read and worked out by."""

    intercepted_binops: ClassVar[frozenset[str]] = frozenset({"+", "*", "**", "%"})  # pyright: ignore[reportIncompatibleVariableOverride]

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Whether a template may ask for this."""
        if isinstance(obj, (Undefined, Namespace)):
            return not attr.startswith("_")
        return any(isinstance(obj, kind) and attr in methods for kind, methods in METHODS.items()) or (
            attr in getattr(obj, "_fields", ())
        )

    def getattr(self, obj: Any, attribute: str) -> Any:
        """What a name after a dot means: a key of the object, before anything else."""
        if isinstance(obj, dict) and attribute in obj:
            return cast("dict[str, Any]", obj)[attribute]
        return super().getattr(obj, attribute)

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Call a function or method."""
        Work.of(context).step()
        if obj is not dict and obj is not Namespace and obj is not count_up:
            _check_arguments(args)
        return _take(super().call(context, obj, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Work out an operation that may make something larger."""
        Work.of(context).step()
        match operator, left, right:
            case "%", str(), _:
                raise TemplateError("a text is filled in by the filter format.")
            case "*", int(), int():
                bound_bits(left.bit_length() + right.bit_length())
            case "**", int(), int():
                bound_bits(left.bit_length() * abs(right))
            case "*", int(), str() | list() | tuple():
                bound(left, len(cast("str | list[Any]", right)))
            case "*", str() | list() | tuple(), int():
                bound(len(cast("str | list[Any]", left)), right)
            case _:
                pass
        return measure(super().call_binop(context, operator, left, right))


class _Bounds(NodeTransformer):
    """Has loops and everything that is put together in a template measured, and refuses what there is not."""

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        """The node, bounded."""
        absent = ABSENT.get(type(node))
        if absent is not None:
            raise TemplateSyntaxError(f"there is no {absent} in templates", node.lineno)
        return super().visit(node, *args, **kwargs)

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - as the library names it
        """A loop whose turns are counted, with the signs that each turn writes at least."""
        if node.recursive:
            raise TemplateSyntaxError("there are no recursive loops in templates", node.lineno)
        self.generic_visit(node)
        signs = sum(len(each.data) for part in node.body for each in part.find_all(nodes.TemplateData))
        signs += sum(len(each.data) for each in node.body if isinstance(each, nodes.TemplateData))
        node.iter = _filter(node.iter, EACH, nodes.Const(signs))
        return node

    def _visit_made(self, node: nodes.Expr) -> nodes.Node:
        self.generic_visit(node)
        return _filter(node, MADE)

    visit_List = visit_Dict = visit_Compare = visit_Test = _visit_made  # noqa: N815 - as the library names them

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802 - as the library names it
        """A part of a value; several parts are something made."""
        self.generic_visit(node)
        return _filter(node, MADE) if isinstance(node.arg, nodes.Slice) else node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - as the library names it
        """Texts put together, which are measured first."""
        self.generic_visit(node)
        return _filter(nodes.List(node.nodes, lineno=node.lineno), JOINED)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802 - as the library names it
        """Several values; where values are put into names it stays as it is."""
        self.generic_visit(node)
        return _filter(node, MADE) if node.ctx == "load" else node


def _filter(value: nodes.Node, name: str, *arguments: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(cast("nodes.Expr", value), name, list(arguments), [], None, None, lineno=value.lineno)


def count_up(*bounds: int) -> range:
    """`range`, of so many numbers that a list may have."""
    numbers = range(*bounds)
    bound(len(numbers))
    return numbers


def read(template: str) -> Template:
    """The template, ready to be worked out. Raises what Jinja raises, and what Python's compiler does."""
    environment = open_sandbox()
    tree = cast("nodes.Template", _Bounds().visit(environment.parse(template)))
    tree.set_environment(environment)
    code = environment.compile(tree, filename=SOURCE)
    return Template.from_code(environment, code, environment.make_globals(None))


@cache
def open_sandbox() -> Environment:
    """The one environment, which holds nothing of any template."""
    environment = Sandbox(
        undefined=ChainableUndefined, finalize=_write, optimized=False, cache_size=0, keep_trailing_newline=True
    )
    inner = Sandbox(undefined=ChainableUndefined, cache_size=0)
    filters: dict[str, Any] = {
        **{name: _measured(inner, name) for name in FILTERS},
        "e": _escape, "escape": _escape, "format": _format, "from_cloud_event": _from_cloud_event,
        "fromjson": _from_json, "join": _join, "replace": _replace,
        "tojson": _to_json, "sum": _sum,
        EACH: _each, MADE: _made, JOINED: _joined,
    }  # fmt: skip
    given: dict[str, Any] = {"dict": dict, "namespace": Namespace, "range": count_up}
    environment.filters, environment.globals = cast("Any", filters), cast("Any", given)
    return environment


def _measured(inner: Environment, name: str) -> Callable[..., Any]:
    """A filter of Jinja's that is counted, takes no more than it may, and whose result is measured."""

    @pass_context
    def apply(context: Context, value: Any, *args: Any, **kwargs: Any) -> Any:
        Work.of(context).step()
        _check_arguments([*args, *kwargs.values()])
        return _take(inner.call_filter(name, value, args, kwargs, context=context))

    return apply


@pass_context
def _write(context: Context, value: Any) -> str:
    """A value as it stands in what the template makes."""
    work = Work.of(context)
    match value:
        case Undefined():
            text = ""
        case Json():
            text = value
        case str():
            text = encode_json(value)[1:-1] if work.as_json else value
        case dict() | list() | tuple() | bool() | None if work.as_json:
            text = encode_json(value)
        case dict() | list() | tuple() | int() | float() | None | date() | timedelta():
            text = str(cast("object", value))
        case _:
            raise TemplateError("this is no value that can be written.")
    work.step(signs=len(text))
    return text


@pass_context
def _each(context: Context, value: Any, signs: int) -> Any:
    """What a loop goes through. Every turn writes so many signs at least."""
    values = list(cast("Iterable[Any]", value)) if isinstance(value, (dict, list, tuple, str, Undefined)) else None
    if values is None:
        raise TemplateError("a loop goes through lists, objects and texts only.")
    Work.of(context).step(len(values), len(values) * signs)
    return values


@pass_context
def _made(context: Context, value: Any) -> Any:
    Work.of(context).step()
    return measure(value)


@pass_context
def _joined(context: Context, values: list[Any]) -> str:
    Work.of(context).step()
    return measure("".join(str(each) for each in measure(values)))


@pass_context
def _join(context: Context, value: Any, d: str = "", attribute: str | int | None = None) -> str:
    """Texts with another one between them."""
    Work.of(context).step()
    environment = context.environment
    listed = list(cast("Iterable[Any]", measure(value)))
    if attribute is not None:
        listed = [environment.getitem(each, attribute) for each in listed]
    bound(len(listed) + 1, len(d) + 1)
    return measure(str(d).join(str(each) for each in measure(listed)))


@pass_context
def _sum(context: Context, value: Any, attribute: str | int | None = None) -> Any:
    """Numbers added up."""
    Work.of(context).step()
    environment = context.environment
    listed = list(cast("Iterable[Any]", measure(value)))
    return measure(sum(listed if attribute is None else [environment.getitem(each, attribute) for each in listed]))


@pass_context
def _replace(context: Context, value: Any, old: str, new: str, count: int = -1) -> str:
    """A text with another one in the place of some part of it."""
    Work.of(context).step()
    text = str(measure(value))
    bound(text.count(old) + 1, len(new) + 1)
    return measure(text.replace(old, new, count))


@pass_context
def _format(context: Context, value: Any, *args: Any) -> str:
    """A text with values filled in, as `%` does: `"%.2f"|format(x)`."""
    Work.of(context).step()
    pattern = str(value)
    widths = [int(width) for found in _PLACES.findall(pattern) for width in found if width]
    if "%" in _PLACES.sub("", pattern) or any(width > LARGEST_NUMBER for width in widths):
        raise TemplateError("the filter format takes places such as %s, %d and %.2f.")
    return measure(pattern % measure(args))


@pass_context
def _escape(context: Context, value: Any) -> str:
    """A text with what means something in HTML escaped."""
    Work.of(context).step()
    return measure(escape(str(value)))


@pass_context
def _to_json(context: Context, value: Any, indent: int | None = None) -> Json:
    """A value as JSON."""
    from msgspec.json import format as lay_out

    Work.of(context).step()
    if isinstance(value, Undefined):
        value = None
    text = encode_json(measure(value))
    if indent is not None:
        bound(max(1, indent), 1 + text.count(",") + text.count("{") + text.count("["))
        text = lay_out(text, indent=indent)
    return Json(measure(text))


@pass_context
def _from_json(context: Context, value: Any) -> Any:
    """What a text says that is JSON."""
    from headrace.schema.wire import decode_json

    Work.of(context).step()
    try:
        return measure(decode_json(str(value)))
    except ValueError:
        raise TemplateError("what is given to the filter fromjson is no JSON.") from None


@pass_context
def _from_cloud_event(context: Context, value: Any, headers: Any) -> Json:
    """The event that a request's body and headers tell by CloudEvents, as JSON."""
    Work.of(context).step()
    event = from_cloud_event(measure(value), cast("dict[str, str]", headers) if isinstance(headers, dict) else {})
    if event is None:
        raise TemplateError("this is no CloudEvent: it has no type, or no source.")
    return Json(encode_json(event))
