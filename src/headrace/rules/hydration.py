"""Parameters that are worked out when an automation runs a deployment.

A text that holds `{{ … }}` or `{% … %}` is a template. So is what the contract's clients write as
`{"__prefect_kind": "jinja", "template": …}`; `{"__prefect_kind": "json", "value": …}` is what a JSON text says, which may be
given as a template as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

from headrace.base.errors import InvalidRequest

KIND = "__prefect_kind"


def list_templates(value: Any) -> list[str]:
    """All templates in a value."""
    found: list[str] = []

    def note(template: str) -> str:
        found.append(template)
        return "null"

    hydrate(value, note)
    return found


def hydrate(value: Any, render: Callable[[str], str]) -> Any:
    """The value with every template in it rendered. Raises `InvalidRequest` for what makes no JSON and should."""
    match value:
        case str():
            return render(value) if "{{" in value or "{%" in value else value
        case list():
            return [hydrate(each, render) for each in cast("list[Any]", value)]
        case dict():
            return _hydrate_object(cast("dict[str, Any]", value), render)
        case _:
            return value


def _hydrate_object(value: dict[str, Any], render: Callable[[str], str]) -> Any:
    match value:
        case {"__prefect_kind": "jinja", "template": str() as template}:
            return render(template)
        case {"__prefect_kind": "json", "value": inner}:
            text = hydrate(inner, render)
            try:
                return json.loads(text) if isinstance(text, str) else text
            except (ValueError, RecursionError) as error:
                raise InvalidRequest(f"{text!r:.80} is no JSON: {error}.") from None
        case {"__prefect_kind": "none", "value": inner}:
            return hydrate(inner, render)
        case {"__prefect_kind": kind}:
            raise InvalidRequest(f"{KIND} {kind!r:.40} means nothing here: it is jinja, json or none.")
        case _:
            return {key: hydrate(each, render) for key, each in value.items()}
