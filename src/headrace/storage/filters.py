"""Filters of lists, compiled into conditions by one function: what an operator means is said once, for every noun.

A noun says only which expression each field of its filter is about (`headrace.storage.selections`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, and_, false, not_, or_, true

from headrace.base.clock import to_micros
from headrace.schema import filters as f
from headrace.storage.dialect import Dialect

Operand = Any
"""What a filter is about: an expression, or for a filter of several parts an operand for each of them by its name."""

Condition = ColumnElement[bool]

_WORD = re.compile(r'([-!]?)(?:"([^"]*)"?|(\S+))')


def compile_filter(wanted: f.Filter | None, operand: Operand, dialect: Dialect) -> Condition:
    """The condition that a filter states about its operand. No filter, and one that says nothing, holds for all."""
    if wanted is None:
        return true()
    state = _OPERATORS.get(type(wanted), _state_parts)
    conditions = [*state(wanted, operand, dialect)]
    if wanted.operator == "or_" and conditions:
        return or_(false(), *conditions)
    return and_(true(), *conditions)


def says_something(wanted: f.Filter | f.RunSelection | None) -> bool:
    """Whether a filter states a condition. Clients send empty ones for what they do not filter by."""
    if wanted is None:
        return False
    said = (getattr(wanted, name) for name in wanted.__struct_fields__ if name != "operator")
    return any(says_something(part) if isinstance(part, f.Filter) else part is not None for part in said)


def _state_parts(wanted: f.Filter, operands: Operand, dialect: Dialect) -> Iterator[Condition]:
    """A filter of several parts, each about an operand of its own."""
    for name in wanted.__struct_fields__:
        part = getattr(wanted, name)
        if isinstance(part, f.Filter):
            yield compile_filter(part, operands[name], dialect)


def _state_ids(wanted: f.IdFilter, column: Operand, _: Dialect) -> Iterator[Condition]:
    yield from _state_members(wanted.any_, wanted.not_any_, column)
    yield from _state_missing(wanted.is_null_, column)


def _state_text(wanted: f.TextFilter, column: Operand, _: Dialect) -> Iterator[Condition]:
    yield from _state_members(wanted.any_, wanted.not_any_, column)
    yield from _state_missing(wanted.is_null_, column)
    if wanted.exists_ is not None:
        yield column.is_not(None) if wanted.exists_ else column.is_(None)
    if wanted.like_ is not None:
        yield column.icontains(wanted.like_, autoescape=True)


def _state_name(wanted: f.NameFilter, column: Operand, dialect: Dialect) -> Iterator[Condition]:
    yield from _state_text(wanted, column, dialect)
    if wanted.startswith_ is not None:
        yield or_(false(), *(column.startswith(start, autoescape=True) for start in wanted.startswith_))


def _state_pause(wanted: f.PausedFilter, column: Operand, _: Dialect) -> Iterator[Condition]:
    if wanted.eq_ is not None:
        yield column if wanted.eq_ else not_(column)


def _state_types(wanted: f.StateTypeFilter, column: Operand, _: Dialect) -> Iterator[Condition]:
    yield from _state_members(wanted.any_, wanted.not_any_, column)


def _state_time(wanted: f.TimeFilter, column: Operand, _: Dialect) -> Iterator[Condition]:
    if wanted.before_ is not None:
        yield column <= to_micros(wanted.before_)
    if wanted.after_ is not None:
        yield column >= to_micros(wanted.after_)
    yield from _state_missing(wanted.is_null_, column)


def _state_tags(wanted: f.TagsFilter, tags: Operand, dialect: Dialect) -> Iterator[Condition]:
    if wanted.all_ is not None:
        yield tags.has_all(wanted.all_, dialect) if wanted.all_ else true()
    if wanted.any_ is not None:
        yield tags.has_any(wanted.any_, dialect) if wanted.any_ else false()
    if wanted.is_null_ is not None:
        yield tags.are_none() if wanted.is_null_ else not_(tags.are_none())


def _state_level(wanted: f.LevelFilter | f.AmountFilter, column: Operand, _: Dialect) -> Iterator[Condition]:
    if wanted.ge_ is not None:
        yield column >= wanted.ge_
    if wanted.le_ is not None:
        yield column <= wanted.le_


def _state_amount(wanted: f.AmountFilter, column: Operand, dialect: Dialect) -> Iterator[Condition]:
    yield from _state_level(wanted, column, dialect)
    yield from _state_missing(wanted.is_null_, column)


def _state_words(wanted: f.SearchFilter, column: Operand, _: Dialect) -> Iterator[Condition]:
    for sign, quoted, word in _WORD.findall(wanted.query):
        if quoted or word:
            found = column.icontains(quoted or word, autoescape=True)
            yield not_(found) if sign else found


def _state_existence(wanted: f.ExistsFilter, existence: Operand, _: Dialect) -> Iterator[Condition]:
    if wanted.exists_ is not None:
        yield existence if wanted.exists_ else not_(existence)


def _state_maker(wanted: f.CreatedByFilter, maker: Operand, _: Dialect) -> Iterator[Condition]:
    yield from _state_members(wanted.id_, None, maker["id"])
    yield from _state_members(wanted.type_, None, maker["type"])
    yield from _state_missing(wanted.is_null_, maker["type"])


def _state_members(among: list[Any] | None, not_among: list[Any] | None, column: Operand) -> Iterator[Condition]:
    """One of some values, or none of them. Among no values there is none; what is missing is none of any."""
    if among is not None:
        yield column.in_(among)
    if not_among is not None:
        yield or_(column.not_in(not_among), column.is_(None))


def _state_missing(missing: bool | None, column: Operand) -> Iterator[Condition]:
    if missing is not None:
        yield column.is_(None) if missing else column.is_not(None)


_OPERATORS: dict[type[f.Filter], Callable[..., Iterator[Condition]]] = {
    f.IdFilter: _state_ids,
    f.TextFilter: _state_text,
    f.NameFilter: _state_name,
    f.PausedFilter: _state_pause,
    f.AmountFilter: _state_amount,
    f.StateTypeFilter: _state_types,
    f.TimeFilter: _state_time,
    f.TagsFilter: _state_tags,
    f.LevelFilter: _state_level,
    f.SearchFilter: _state_words,
    f.ExistsFilter: _state_existence,
    f.CreatedByFilter: _state_maker,
}
