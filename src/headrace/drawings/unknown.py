"""What stands for a value that only a run would know, while a flow is drawn."""

from __future__ import annotations

import operator
from collections.abc import Callable, Generator
from typing import Any, NoReturn
from uuid import UUID

from headrace.base.errors import FlowVisualizationError


class Unknown:
    """The value of a call that was not executed, or a part of it, or something computed from it.

    It can be passed on, and whoever gets it needs the calls in `sources`; what would look at the value raises
    `FlowVisualizationError`, which says how to give one: `remedy` is that advice.
    """

    __slots__ = ("__weakref__", "_remedy", "_shown", "_sources")

    def __init__(self, shown: str, remedy: str, sources: frozenset[UUID] = frozenset()) -> None:
        self._shown = shown
        self._remedy = remedy
        self._sources = sources

    def __getattr__(self, name: str) -> Unknown:
        if name.startswith("__"):  # what asks for those wants to know what kind of object this is
            raise AttributeError(name)
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Unknown:
        return _combine(self, *args, *kwargs.values())

    def __getitem__(self, key: Any) -> Unknown:
        return _combine(self, key)

    def __await__(self) -> Generator[Any, None, Unknown]:
        yield from ()
        return self

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"<{self._shown}>"


def sources_of(unknown: Unknown) -> frozenset[UUID]:
    """The calls that it came from."""
    return unknown._sources  # pyright: ignore[reportPrivateUsage]


def _combine(first: Unknown, *others: Any) -> Unknown:
    sources = sources_of(first).union(*(sources_of(each) for each in others if isinstance(each, Unknown)))
    return Unknown(first._shown, first._remedy, sources)  # pyright: ignore[reportPrivateUsage]


def _computing(name: str) -> Callable[..., Unknown]:
    def compute(self: Unknown, *others: Any) -> Unknown:
        return _combine(self, *others)

    compute.__name__ = name
    return compute


def _refusing(name: str, deed: str) -> Callable[..., NoReturn]:
    def refuse(self: Unknown, *_: Any) -> NoReturn:
        shown, remedy = self._shown, self._remedy  # pyright: ignore[reportPrivateUsage]
        raise FlowVisualizationError(f"it {deed} {shown}, which only a run knows. {remedy}")

    refuse.__name__ = name
    return refuse


_BINARY = (
    "add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow", "lshift", "rshift", "and", "or", "xor",
)  # fmt: skip
_OTHER = (
    "lt", "le", "eq", "ne", "gt", "ge", "neg", "pos", "abs", "invert", "round", "trunc", "floor", "ceil",
)  # fmt: skip
_COMPUTED = [f"__{name}__" for name in (*_BINARY, *(f"r{name}" for name in _BINARY), *_OTHER)]
_REFUSED = {
    "decides by": ["__bool__"],
    "goes through": ["__iter__", "__aiter__", "__reversed__"],
    "looks into": ["__len__", "__contains__"],
    "calculates with": ["__int__", "__float__", "__complex__", "__index__"],
    "changes": ["__setitem__", "__delitem__"],
    "opens": ["__fspath__", "__enter__", "__aenter__"],
}
for _name in _COMPUTED:
    setattr(Unknown, _name, _computing(_name))
for _deed, _names in _REFUSED.items():
    for _name in _names:
        setattr(Unknown, _name, _refusing(_name, _deed))
for _name in ("__exit__", "__aexit__"):  # `with` wants to see them before it enters
    setattr(Unknown, _name, operator.not_)
