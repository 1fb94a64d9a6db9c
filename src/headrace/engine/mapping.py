"""How the arguments of a `map` become the arguments of its runs."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any, cast

from headrace.base import errors
from headrace.engine.futures import Annotation, Future, allow_failure, resolve, unmapped
from headrace.engine.parameters import Signature


def spread(signature: Signature, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The keyword arguments of each run of a `map` with these arguments.

    Raises `UsageError` when no argument can be iterated, or two are not equally long.
    """
    try:
        given = signature.signature.bind_partial(*args, **kwargs).arguments
    except TypeError as error:
        raise errors.ParameterBindError(f"{name}{signature.signature} cannot be mapped like this: {error}.") from None
    iterated: dict[str, list[Any]] = {}
    same: dict[str, Any] = {}
    for parameter, value in given.items():
        tolerant = isinstance(value, allow_failure)
        inner = cast("Any", value).value if tolerant else value
        if isinstance(inner, Future):
            inner = resolve(cast("Any", inner), tolerant)
        if isinstance(inner, unmapped):
            same[parameter] = cast("Any", inner).value
        elif _iterable(inner):
            items = list(cast("Iterable[Any]", inner))
            iterated[parameter] = [allow_failure(item) for item in items] if tolerant else items
        else:
            same[parameter] = value
    lengths = {parameter: len(items) for parameter, items in iterated.items()}
    if not lengths:
        raise errors.UsageError(f"{name}.map needs an argument to iterate; got only {sorted(same)}.")
    if len(set(lengths.values())) > 1:
        raise errors.UsageError(f"{name}.map needs arguments of the same length; got {lengths}.")
    count = next(iter(lengths.values()))
    return [{**same, **{parameter: items[i] for parameter, items in iterated.items()}} for i in range(count)]


def _iterable(value: Any) -> bool:
    if isinstance(value, (str, bytes, io.IOBase, Annotation)):
        return False
    try:
        iter(value)
    except TypeError:
        return False
    return True
