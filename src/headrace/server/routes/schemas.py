"""Whether values fit a schema, asked before anybody keeps them: what a form says beside its fields."""

from __future__ import annotations

from typing import Any

from litestar import post
from litestar.params import JSONBody
from msgspec import field

from headrace.rules.arguments import Misfit, list_misfits
from headrace.schema.wire import Request, Wire
from headrace.server.auth import Permission, needs


class SchemaQuestion(Request, kw_only=True):
    """Asks whether values fit a schema, whose references lead to places within itself."""

    schema_: dict[str, Any] = field(name="schema")
    values: dict[str, Any]


class InnerErrors(Wire, kw_only=True, omit_defaults=True):
    """What is wrong within a property (`property`), or within an entry of a list (`index`)."""

    errors: list[Any]
    property: str | None = None
    index: int | None = None


class SchemaAnswer(Wire, kw_only=True):
    """Whether values fit. `errors` holds sentences, and what is wrong within properties and entries, nested alike."""

    errors: list[str | InnerErrors]
    valid: bool


@post("/api/ui/schemas/validate", status_code=200, **needs(Permission.READ))
def validate_values(data: JSONBody[SchemaQuestion]) -> SchemaAnswer:
    """Say where values do not fit a schema, whose references may lead to places within itself only."""
    misfits = list_misfits(data.schema_, data.values)
    return SchemaAnswer(errors=nest(misfits), valid=not misfits)


def nest(misfits: list[Misfit]) -> list[Any]:
    """The misfits by the places where they are, each level within the one above."""
    told: list[Any] = [misfit.message for misfit in misfits if not misfit.path]
    for step in dict.fromkeys(misfit.path[0] for misfit in misfits if misfit.path):
        within = nest([Misfit(path[1:], message) for path, message in misfits if path and path[0] == step])
        told.append(
            InnerErrors(errors=within, index=step)
            if isinstance(step, int)
            else InnerErrors(errors=within, property=step)
        )
    return told


routes = [validate_values]
