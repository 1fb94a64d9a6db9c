"""Variables: named values that flows, project files and people share, and that outlive runs.

Names and values are plain: anything that JSON can hold. What nobody may read belongs elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar, cast

from headrace.base.errors import ObjectAlreadyExists, ObjectNotFound, UsageError
from headrace.connect import open_session
from headrace.engine.here import session_here
from headrace.engine.opening import set_opener
from headrace.gateway.administration import Administration
from headrace.schema.variable import Variable as StoredVariable
from headrace.schema.variable import VariableCreate, VariableUpdate

__all__ = ["Variable"]

T = TypeVar("T")
LONGEST_NAME = 255

set_opener(open_session)


class Variable(StoredVariable, kw_only=True):
    """A variable, as it was when it was set.

    `get`, `set` and `unset` ask the orchestrator each time, and raise what its requests raise; `aget`, `aset` and
    `aunset` do the same without holding up the event loop.
    """

    @classmethod
    def set(cls, name: str, value: Any, tags: Sequence[str] | None = None, overwrite: bool = False) -> Variable:
        """Set a variable and return it.

        Raises `ObjectAlreadyExists` when there is one of that name, unless it may be overwritten: then its tags stay as
        they are where none are given. Raises `UsageError` for a value that JSON cannot hold.
        """
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UsageError(f"A variable's name is a text of 1 to {LONGEST_NAME} characters, not {name!r:.60}.")
        _refuse_strange(value, f"The value of variable {name!r}")
        office = _administration()
        wanted = VariableCreate(name=name, value=value, tags=[*(tags or ())])
        try:
            return _show(office.create_variable(wanted))
        except ObjectAlreadyExists:
            if not overwrite:
                raise ObjectAlreadyExists(
                    f"There is a variable called {name!r} already; overwrite=True sets it anew."
                ) from None
        there = office.read_variable_by_name(name)
        change = VariableUpdate(value=value) if tags is None else VariableUpdate(value=value, tags=[*tags])
        office.update_variable(there.id, change)
        return _show(office.read_variable(there.id))

    @classmethod
    def get(cls, name: str, default: T = None) -> Any | T:
        """The value of a variable, or the default when there is none of that name."""
        try:
            return _administration().read_variable_by_name(name).value
        except ObjectNotFound:
            return default

    @classmethod
    def unset(cls, name: str) -> bool:
        """Delete a variable; False when there is none of that name."""
        office = _administration()
        try:
            office.delete_variable(office.read_variable_by_name(name).id)
        except ObjectNotFound:
            return False
        return True

    @classmethod
    async def aset(cls, name: str, value: Any, tags: Sequence[str] | None = None, overwrite: bool = False) -> Variable:
        """As `set`."""
        return await _beside(partial(cls.set, name, value, tags, overwrite))

    @classmethod
    async def aget(cls, name: str, default: T = None) -> Any | T:
        """As `get`."""
        return await _beside(partial(cls.get, name, default))

    @classmethod
    async def aunset(cls, name: str) -> bool:
        """As `unset`."""
        return await _beside(partial(cls.unset, name))


def _administration() -> Administration:
    return session_here().administration


def _show(stored: StoredVariable) -> Variable:
    return Variable(**{name: getattr(stored, name) for name in stored.__struct_fields__})


async def _beside(function: Callable[[], T]) -> T:
    from headrace.engine.loop import beside

    return await beside(function)


def _refuse_strange(value: Any, what: str) -> None:
    """Raise `UsageError` for a value that would come back as another one."""
    match value:
        case None | bool() | int() | str():
            return
        case float() if math.isfinite(value):
            return
        case list():
            for each in cast("list[Any]", value):
                _refuse_strange(each, what)
        case dict() if all(isinstance(key, str) for key in cast("dict[Any, Any]", value)):
            for each in cast("dict[str, Any]", value).values():
                _refuse_strange(each, what)
        case _:
            raise UsageError(f"{what} must be what JSON can hold, which {value!r:.60} is not.")
