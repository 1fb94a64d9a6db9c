"""Arguments: bound to a signature, checked against its annotations, described as a JSON schema.

A value that already is exactly what a plain annotation asks for is taken as it is. Only when something must be converted
or looked into is pydantic imported, whose conversions are those this field's users know.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from headrace.base import errors

RESERVED = frozenset({"return_state", "wait_for"})
_PLAIN = frozenset({int, str, float, bool, bytes, list, dict, set, tuple, type(None)})


class Signature:
    """A function's signature, prepared once. Raises `UsageError` for a parameter that shadows a keyword of ours."""

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self.function = function
        self.name = name
        self.signature = inspect.signature(function)
        parameters = self.signature.parameters.values()
        for parameter in parameters:
            if parameter.name in RESERVED:
                raise errors.UsageError(
                    f"{name!r} cannot have a parameter {parameter.name!r}: that is a keyword of every call."
                )
        self.names = tuple(self.signature.parameters)
        self._positional = tuple(p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD)
        self._simple = len(self._positional) == len(self.names)
        self._defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
        self._variadic = {p.name: p.kind for p in parameters if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
        self._positional_only = {p.name for p in parameters if p.kind is p.POSITIONAL_ONLY}
        self._validator: Any = None

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

    def call_arguments(self, parameters: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments that give the function these parameters."""
        if self._simple:
            return tuple(parameters[name] for name in self.names), {}
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        positional = True
        for name in self.names:
            value = parameters[name]
            kind = self._variadic.get(name)
            if kind is inspect.Parameter.VAR_POSITIONAL:
                args += value
                positional = False
            elif kind is inspect.Parameter.VAR_KEYWORD:
                kwargs.update(value)
            elif positional and self.signature.parameters[name].kind is not inspect.Parameter.KEYWORD_ONLY:
                args.append(value)
            else:
                kwargs[name] = value
        return tuple(args), kwargs

    def validate(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """The parameters as their annotations ask for them. Raises `ParameterTypeError` naming every one that does not fit."""
        hints = self._hints()
        doubtful = {
            name: hints[name]
            for name, value in parameters.items()
            if name in hints
            and name not in self._variadic
            and value is not self._defaults.get(name, inspect.Parameter.empty)  # `x: int = None` is what people write
            and not _fits(value, hints[name])
        }
        if not doubtful:
            return parameters
        return {**parameters, **self._convert({name: parameters[name] for name in doubtful}, doubtful)}

    def _hints(self) -> dict[str, Any]:
        annotations: dict[str, Any] = getattr(inspect.unwrap(self.function), "__annotations__", {})
        if not annotations:
            return {}
        try:
            return get_type_hints(self.function, include_extras=True)
        except (NameError, TypeError, AttributeError):
            return {name: hint for name, hint in annotations.items() if not isinstance(hint, str)}

    def _convert(self, values: dict[str, Any], hints: dict[str, Any]) -> dict[str, Any]:
        from pydantic import ConfigDict, TypeAdapter, ValidationError
        from pydantic.errors import PydanticUserError

        converted: dict[str, Any] = {}
        problems: list[str] = []
        for name, hint in hints.items():
            try:
                try:
                    adapter: TypeAdapter[Any] = TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True))
                except (
                    PydanticUserError
                ):  # models, dataclasses and typed dictionaries bring a configuration of their own
                    adapter = TypeAdapter(hint)
                converted[name] = adapter.validate_python(values[name])
            except ValidationError as error:
                problems += (
                    _problem(name, problem) for problem in error.errors(include_url=False, include_context=False)
                )
        if problems:
            raise errors.ParameterTypeError(
                f"{self.name} was given parameters of the wrong type: {'; '.join(problems)}."
            )
        return converted


def _problem(name: str, problem: Mapping[str, Any]) -> str:
    place = name + "".join(f"[{step!r}]" for step in problem["loc"])
    given = repr(problem.get("input"))
    if len(given) > 80:
        given = given[:77] + "..."
    return f"{place}={given}: {str(problem['msg'])[:1].lower()}{str(problem['msg'])[1:]}"


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value needs no conversion. False only means that pydantic must look."""
    if hint is Any or hint is inspect.Parameter.empty:
        return True
    return hint in _PLAIN and type(value) is hint if isinstance(hint, type) else hint is None and value is None
