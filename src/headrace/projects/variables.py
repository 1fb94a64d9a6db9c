"""The values of variables, for placeholders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headrace.base.errors import ConfigurationError, ObjectNotFound
from headrace.gateway.administration import Administration


class VariableReader:
    """Reads variables by name, each once; the administration is opened when the first is read."""

    def __init__(self, open_administration: Callable[[], Administration]) -> None:
        self._open = open_administration
        self._known: dict[str, Any] = {}

    def __call__(self, name: str) -> Any:
        """The value of a variable. Raises `ConfigurationError` when there is none of that name."""
        if name not in self._known:
            try:
                self._known[name] = self._open().read_variable_by_name(name).value
            except ObjectNotFound:
                advice = f"`headrace variable set {name} VALUE` makes one"
                raise ConfigurationError(f"there is no variable called {name!r}; {advice}.") from None
        return self._known[name]
