"""What kind of function a flow or task is made of: of which colour, a generator or not, a method of which sort."""

from __future__ import annotations

import inspect
from typing import Any, cast


def unwrap_method(function: Any) -> Any:
    """The function itself of a `classmethod` or `staticmethod`; anything else as it is."""
    return cast("Any", function).__func__ if isinstance(function, (classmethod, staticmethod)) else function


def is_generator(function: Any) -> bool:
    """Whether calling the function makes a generator, of either colour."""
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def is_async(function: Any) -> bool:
    """Whether the function is to be executed in an event loop."""
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def bind_method(function: Any, instance: Any, owner: Any) -> Any:
    """What the function becomes as an attribute: a bound method, or None where there is nothing to bind."""
    if isinstance(function, staticmethod) or (instance is None and not isinstance(function, classmethod)):
        return None
    return cast("Any", function).__get__(instance, owner)
