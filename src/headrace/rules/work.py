"""How much one template may do, and the measure of what it has done (`rules.templates`)."""

from __future__ import annotations

from typing import Any, cast

from headrace.base.clock import monotonic
from headrace.base.errors import HeadraceError

LARGEST = 512 * 1024
"""How much a value may hold: signs of text, and elements."""
LONGEST_OUTPUT = 256 * 1024
"""How many signs a template may make."""
MOST_STEPS = 50_000
"""How many calls, filters and turns of loops there may be."""
LONGEST_TIME = 1.0
"""Seconds that a template may take."""
LARGEST_NUMBER = 1_000
"""The largest whole number that filters and methods take as an argument: widths, precisions, lengths of lists."""
MOST_BITS = 4_096
"""How large whole numbers may become."""

WORK = "the work"
"""Under which name, which no template can write, a context holds its own measure."""


class TemplateError(HeadraceError):
    """A template is none, does too much, or cannot be worked out with what it was given. One line, without any values."""


class Work:
    """What one template has done so far, and whether it writes JSON."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self._steps = self._signs = 0
        self._end = monotonic() + LONGEST_TIME

    @staticmethod
    def beside(given: dict[str, Any], *, as_json: bool) -> dict[str, Any]:
        """The values, and beside them the measure of what is done with them."""
        return {**given, WORK: Work(as_json)}

    @staticmethod
    def of(context: Any) -> Work:
        """The measure of a context."""
        return context.parent[WORK]

    def step(self, steps: int = 1, signs: int = 0) -> None:
        """Note what is about to be done. Raises `TemplateError` when it is too much."""
        self._steps += steps
        self._signs += signs
        if self._steps > MOST_STEPS:
            raise TemplateError("it takes too many steps.")
        if self._signs > LONGEST_OUTPUT:
            raise TemplateError(f"it makes more than {LONGEST_OUTPUT} signs.")
        if monotonic() > self._end:
            raise TemplateError("it takes too long.")


def measure(value: Any) -> Any:
    """The value, if it is no larger than a value may be. Raises `TemplateError`."""
    left, waiting = LARGEST, [value]
    while waiting:
        each = waiting.pop()
        match each:
            case str():
                left -= len(each)
            case dict():
                waiting += cast("dict[Any, Any]", each).keys()
                waiting += cast("dict[Any, Any]", each).values()
            case list() | tuple():
                waiting += cast("list[Any]", each)
            case int():
                bound_bits(each.bit_length())
            case _:
                pass
        left -= 1
        if left - len(waiting) < 0:
            raise TemplateError("a value becomes too large.")
    return value


def bound_bits(bits: int) -> None:
    """Refuse a whole number of so many bits if it is too large. Raises `TemplateError`."""
    if bits > MOST_BITS:
        raise TemplateError("a number becomes too large.")


def bound(*lengths: int) -> None:
    """Refuse a value as large as the product of these if that is too large. Raises `TemplateError`."""
    product = 1
    for length in lengths:
        product *= length
    if product > LARGEST:
        raise TemplateError("a value becomes too large.")
