"""What a case came to, as text that is the same wherever it comes from."""

from __future__ import annotations

from typing import Any, cast

OWN = "as I say"
"""A message that holds these words is a case's own; any other is the SDK's, and may say the same in other words."""

THEIR_NAMES = {
    "UpstreamTaskError": "UpstreamFailed",
}
"""Exceptions that we call otherwise."""


_LIBRARIES = {"prefect", "headrace", "pydantic", "pydantic_core"}
_FAILURES = {"<FailedRun>", "<CrashedRun>", "<CancelledRun>"}


def show(value: Any) -> str:
    """A value, a state with what it holds, or a future, in one line."""
    if is_state(value):
        message = f" {OWN!r}" if OWN in (value.message or "") else ""
        return f"{value.type.value}/{value.name}{message} with {_shown_result(value)}"
    if hasattr(value, "add_done_callback"):
        return "a future"
    if isinstance(value, BaseException):
        return describe(value)
    return _show_plain(value)


def _show_plain(value: Any) -> str:
    kind: Any = type(value)  # pyright: ignore[reportUnknownVariableType]
    if kind is dict:
        return "{" + ", ".join(f"{key!r}: {show(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(show, cast('list[Any]', value)))}]"
    if kind is tuple:
        return f"({', '.join(map(show, value))})"
    if kind in {set, frozenset}:
        return f"{kind.__name__}({', '.join(sorted(map(show, value)))})"
    return repr(value)


def is_state(value: Any) -> bool:
    return hasattr(value, "state_details") and hasattr(value, "is_final")


def _shown_result(state: Any) -> str:
    """What a state holds. That of a run which failed without an exception is told by a case of its own, not by each."""
    try:
        result = state.result(raise_on_failure=False)
    except Exception as error:  # noqa: BLE001 - a state may have no result, and says so
        return f"raised {describe(error)}"
    if not state.is_completed() and (result is None or describe_kind(result) in _FAILURES):
        return "nothing"
    return show(result)


def describe(error: BaseException) -> str:
    """An exception: its class, and its message where that is the user's or Python's own."""
    kind = describe_kind(error)
    if kind.startswith("<"):
        return kind
    text = str(error)
    return f"{kind}({text!r})" if OWN in text or not text else f"{kind}(…)"


def describe_kind(error: object) -> str:
    """The class of an exception, in brackets if it is a library's."""
    kind = type(error)
    name = THEIR_NAMES.get(kind.__name__, kind.__name__)
    return f"<{name}>" if kind.__module__.partition(".")[0] in _LIBRARIES else name
