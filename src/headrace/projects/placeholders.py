"""Placeholders in project files: `{{ $NAME }}` is an environment variable, `{{ step.output }}` what a step gave,
`{{ headrace.variables.name }}` the value of a variable, `{{ headrace.blocks.type/name.field }}` what a block holds.

A text that is nothing but a placeholder becomes the value itself; within a longer text the value is written out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from msgspec import Struct

from headrace.base.errors import ConfigurationError

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_VARIABLE = re.compile(r"(?:headrace|prefect)\.variables\.(.+)")
_BLOCK = re.compile(r"(?:headrace|prefect)\.blocks\.([a-z0-9-]+[/.][a-z0-9-]+(?:\.[^.]+)*)")


class Known(Struct, frozen=True, kw_only=True):
    """What placeholders can stand for here. Without `environ`, environment variables are left for whoever comes later,
    without `variables` those, without `blocks` those, and so are the outputs of steps in `later`. `variables` reads one by
    its name, `blocks` by `type/name`, maybe with the way to a part of it. What stands for nothing is an error if `strict`.
    """

    environ: Mapping[str, str] | None = None
    variables: Callable[[str], Any] | None = None
    blocks: Callable[[str], Any] | None = None
    outputs: Mapping[str, Any] = {}
    later: frozenset[str] = frozenset()
    strict: bool = True

    def fill_in(self, value: Any) -> Any:
        """The value with its placeholders filled in. Raises `ConfigurationError` naming the one that stands for nothing."""
        match value:
            case str():
                whole = _PLACEHOLDER.fullmatch(value)
                if whole is not None:
                    return self._look(whole[1], whole[0])
                return _PLACEHOLDER.sub(lambda found: _write(self._look(found[1], found[0])), value)
            case list():
                return [self.fill_in(each) for each in cast("list[Any]", value)]
            case dict():
                return {key: self.fill_in(each) for key, each in cast("dict[Any, Any]", value).items()}
            case _:
                return value

    def _look(self, name: str, whole: str) -> Any:
        if name.startswith("$"):
            if self.environ is None:
                return whole
            if name[1:] not in self.environ:
                raise ConfigurationError(f"{whole} stands for nothing: there is no environment variable {name[1:]}.")
            return self.environ[name[1:]]
        variable = _VARIABLE.fullmatch(name)
        if variable is not None:
            return whole if self.variables is None else self._read(self.variables, variable[1], whole)
        block = _BLOCK.fullmatch(name)
        if block is not None:
            return whole if self.blocks is None else self._read(self.blocks, block[1], whole)
        first, *rest = name.split(".")
        if first in self.outputs:
            found = self.outputs[first]
            for part in rest:
                known = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
                if part not in known:
                    has = f"it gives {', '.join(known)}" if known else "it gives nothing of the kind"
                    raise ConfigurationError(f"{whole} stands for nothing: there is no {part!r} in {first!r}; {has}.")
                found = known[part]
            return found
        if first in self.later or not self.strict:
            return whole
        raise ConfigurationError(
            f"{whole} stands for nothing: write {{{{ $NAME }}}} for an environment variable, {{{{ headrace.variables.name }}}} "
            "for a variable, {{ headrace.blocks.type/name }} for a block, {{ id.output }} for what an earlier step with "
            "that id gave."
        )

    @staticmethod
    def _read(read: Callable[[str], Any], name: str, whole: str) -> Any:
        try:
            return read(name)
        except ConfigurationError as error:
            raise ConfigurationError(f"{whole} stands for nothing: {error}") from None


def find_placeholders(value: Any) -> Iterator[str]:
    """The names that stand in placeholders of a value."""
    match value:
        case str():
            yield from _PLACEHOLDER.findall(value)
        case list():
            for each in cast("list[Any]", value):
                yield from find_placeholders(each)
        case dict():
            for each in cast("dict[Any, Any]", value).values():
                yield from find_placeholders(each)
        case _:
            return


def _write(value: Any) -> str:
    return value if isinstance(value, str) else str(value)
