"""How the arguments of a `map` become the arguments of its runs."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any, cast

from headrace.base import errors
from headrace.engine.futures import Annotation, Future, allow_failure, resolve, unmapped
from headrace.engine.parameters import Signature
from headrace.schema.state import State


def spread(signature: Signature, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The bound arguments of each run of a `map` with these arguments.

    Raises `MappingMissingIterable` when no argument can be iterated, `MappingLengthMismatch` when two are not equally long,
    and `ParameterBindError` when the arguments do not fit the function.
    """
    positional = [_Share(signature.place(index), value) for index, value in enumerate(args)]
    named = {key: _Share(key, value) for key, value in kwargs.items()}
    shares = [*positional, *named.values()]
    lengths = {share.name: len(share.items) for share in shares if share.items is not None}
    if not lengths:
        given = sorted(share.name for share in shares)
        raise errors.MappingMissingIterable(f"{name}.map needs an argument to iterate; got only {given}.")
    if len(set(lengths.values())) > 1:
        raise errors.MappingLengthMismatch(f"{name}.map needs arguments of the same length; got {lengths}.")
    return [
        signature.bind(
            tuple(share.of(run) for share in positional), {key: share.of(run) for key, share in named.items()}
        )
        for run in range(next(iter(lengths.values())))
    ]


class _Share:
    """What each run of a `map` gets of one argument: an item, or the same."""

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.items: list[Any] | None = None
        self._same = value
        tolerant = isinstance(value, allow_failure)
        inner = cast("Any", value).value if tolerant else value
        if isinstance(inner, (Future, State)):
            inner = resolve(cast("Any", inner), tolerant)
        if isinstance(inner, unmapped):
            same = cast("Any", inner).value
            self._same = allow_failure(same) if tolerant else same
        elif _iterable(inner):
            items = list(cast("Iterable[Any]", inner))
            self.items = [allow_failure(item) for item in items] if tolerant else items

    def of(self, run: int) -> Any:
        """What run number `run` gets."""
        return self._same if self.items is None else self.items[run]


def _iterable(value: Any) -> bool:
    if isinstance(value, (str, bytes, io.IOBase, Annotation)):
        return False
    try:
        iter(value)
    except TypeError:
        return False
    return True
