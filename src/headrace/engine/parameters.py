"""Arguments: bound to a signature, checked against its annotations.

A value that already is exactly what a plain annotation asks for is taken as it is. Only when something must be converted
or looked into is pydantic imported, whose conversions are those this field's users know.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Mapping
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, get_type_hints

from headrace.base import errors

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
RESERVED = frozenset({"return_state", "wait_for"})
_MISSING = object()
_PLAIN = frozenset({int, str, float, bool, bytes, list, dict, set, tuple, type(None)})


class Signature:
    """A function's signature, prepared once. Raises `ReservedArgumentError` for a parameter that shadows a keyword of ours."""

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self.function = function
        self.name = name
        self.signature = inspect.signature(function)
        parameters = self.signature.parameters.values()
        for parameter in parameters:
            if parameter.name in RESERVED:
                raise errors.ReservedArgumentError(
                    f"{name!r} cannot have a parameter {parameter.name!r}: that is a keyword of every call."
                )
        self.names = tuple(self.signature.parameters)
        self._positional = tuple(p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD)
        self._simple = len(self._positional) == len(self.names)
        self._defaults = {p.name: p.default for p in parameters if p.default is not p.empty}

    def place(self, index: int) -> str:
        """The name of what stands at a place of a call's positional arguments; the place itself when it has none."""
        named = [p.name for p in self.signature.parameters.values() if p.kind in _BY_PLACE]
        return named[index] if index < len(named) else f"argument {index + 1}"

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by parameter name, defaults included. Raises `ParameterBindError` when they do not fit."""
        if self._simple and not kwargs and len(args) == len(self.names):
            return dict(zip(self.names, args, strict=True))
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise errors.ParameterBindError(
                f"{self.name}{self.signature} cannot be called like this: {error}."
            ) from None
        bound.apply_defaults()
        return bound.arguments

    def rebind(self, recorded: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by parameter name, of a run that was recorded with all of them, or was asked for with some.

        Raises `ParameterBindError` when they do not fit.
        """
        if recorded.keys() == self.signature.parameters.keys():
            return {name: recorded[name] for name in self.names}
        return self.bind((), recorded)

    def call_arguments(self, parameters: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments that give the function these parameters."""
        if self._simple:
            return tuple(parameters[name] for name in self.names), {}
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for name, parameter in self.signature.parameters.items():
            value = parameters[name]
            if parameter.kind is parameter.VAR_POSITIONAL:
                args += value
            elif parameter.kind is parameter.VAR_KEYWORD:
                kwargs.update(value)
            elif parameter.kind is parameter.KEYWORD_ONLY:
                kwargs[name] = value
            else:
                args.append(value)
        return tuple(args), kwargs

    def validate(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """The parameters as their annotations ask for them. Raises `ParameterTypeError` naming every one that does not fit.

        A parameter that is not there is not looked at.
        """
        doubtful = {
            name: hint
            for name, hint in self.hints().items()
            if name in parameters
            # `x: int = None` is what people write
            and not (parameters[name] is None and self._defaults.get(name, _MISSING) is None)
            and not _fits(parameters[name], hint)
        }
        if not doubtful:
            return parameters
        return {**parameters, **self._convert({name: parameters[name] for name in doubtful}, doubtful)}

    def hints(self) -> dict[str, Any]:
        """The annotation of each parameter that has one which means something here and now."""
        names = _globals_of(self.function)
        hints: dict[str, Any] = {}
        for name, parameter in self.signature.parameters.items():
            if parameter.annotation is parameter.empty:
                continue
            alone = SimpleNamespace(__annotations__={name: parameter.annotation})
            # A name that only a type checker can see, or a text that is no type at all, leaves its parameter unchecked.
            with contextlib.suppress(Exception):
                hint = get_type_hints(alone, names, include_extras=True)[name]
                variadic = {
                    inspect.Parameter.VAR_POSITIONAL: tuple[hint, ...],
                    inspect.Parameter.VAR_KEYWORD: dict[str, hint],
                }
                hints[name] = variadic.get(parameter.kind, hint)
        return hints

    def _convert(self, values: dict[str, Any], hints: dict[str, Any]) -> dict[str, Any]:
        from pydantic import ValidationError
        from pydantic.errors import PydanticUserError
        from pydantic_core import SchemaError

        converted: dict[str, Any] = {}
        problems: list[str] = []
        for name, hint in hints.items():
            value = converted[name] = values[name]
            try:
                converted[name] = make_adapter(hint).validate_python(value)
            except ValidationError as error:
                problems += (
                    _problem(name, problem) for problem in error.errors(include_url=False, include_context=False)
                )
            except (PydanticUserError, SchemaError):  # a type pydantic can make nothing of: only its own instances fit
                if _is_foreign(value, hint):
                    problems.append(f"{name}={_shown(value)}: input should be an instance of {hint.__name__}")
        if problems:
            raise errors.ParameterTypeError(
                f"{self.name} was given parameters of the wrong type: {'; '.join(problems)}."
            )
        return converted


def _globals_of(function: Any) -> dict[str, Any]:
    """The names a function's annotations are made of; those of its class's `__call__` for an object that is callable."""
    while isinstance(function, partial):
        function = function.func  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    function = inspect.unwrap(function)  # pyright: ignore[reportUnknownArgumentType]
    names: dict[str, Any] | None = getattr(function, "__globals__", None)
    return names if names is not None else getattr(type(function).__call__, "__globals__", {})


def make_adapter(hint: Any) -> TypeAdapter[Any]:
    """What pydantic makes of an annotation. Raises its `PydanticUserError` or `SchemaError` for one it can make nothing of."""
    from pydantic import ConfigDict, TypeAdapter
    from pydantic.errors import PydanticUserError

    try:
        return TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True))
    except PydanticUserError:  # models, dataclasses and typed dictionaries bring a configuration of their own
        return TypeAdapter(hint)


def _problem(name: str, problem: Mapping[str, Any]) -> str:
    place = name + "".join(f"[{step!r}]" for step in problem["loc"])
    return f"{place}={_shown(problem.get('input'))}: {str(problem['msg'])[:1].lower()}{str(problem['msg'])[1:]}"


def _is_foreign(value: object, hint: Any) -> bool:
    try:
        return isinstance(hint, type) and not isinstance(value, hint)
    except TypeError:  # a protocol only a type checker can test
        return False


def _shown(value: object) -> str:
    given = repr(value)
    return given if len(given) <= 80 else given[:77] + "..."


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value needs no conversion. False only means that pydantic must look."""
    return hint is Any or (isinstance(hint, type) and hint in _PLAIN and type(value) is hint)
