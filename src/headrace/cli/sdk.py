from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from headrace.base.errors import ConfigurationError, InvalidRequest
from headrace.cli.invocation import Injected
from headrace.cli.lookup import find_deployment, name_deployments, read_pages
from headrace.cli.sdk_source import HEADER, Described, write_source
from headrace.cli.texts import say_count
from headrace.schema.filters import FlowFilter, RunSelection, TextFilter

if TYPE_CHECKING:
    from headrace.gateway.administration import Administration
    from headrace.schema.deployment import Deployment

app = App(name="sdk", help_flags=["--help"])


@app.command
def generate(
    *,
    output: Annotated[
        Path | None, Parameter(["--output", "-o"], help="The file to write. [default: shown instead]")
    ] = None,
    flow: Annotated[
        tuple[str, ...],
        Parameter(["--flow", "-f"], negative=(), help="Only deployments of this flow. May be repeated."),
    ] = (),
    deployment: Annotated[
        tuple[str, ...], Parameter(["--deployment", "-d"], negative=(), help="Only this deployment. May be repeated.")
    ] = (),
    invocation: Injected,
) -> None:
    """Write a module with which deployments are run from code, their parameters known to type checkers and editors."""
    with invocation.administration() as administration:
        found = _choose(administration, flow, deployment)
        names = name_deployments(administration, found)
    if not found:
        raise InvalidRequest("There are no such deployments: `headrace deployment ls` lists those that there are.")
    source = write_source(
        Described(
            full_name=names[each.id],
            description=each.description or "",
            schema=each.parameter_openapi_schema or {},
            given=frozenset(each.parameters),
        )
        for each in found
    )
    if output is None:
        invocation.out.file.write(source)
        return
    _write(output, source)
    invocation.print_line(f"{say_count(len(found), 'deployment')} in {output}.")


def _choose(administration: Administration, flows: Sequence[str], names: Sequence[str]) -> list[Deployment]:
    """The deployments of the flows, and those that are named; all, where nothing is."""
    found: list[Deployment] = []
    if flows or not names:
        selection = RunSelection(flows=FlowFilter(name=TextFilter(any_=list(flows))) if flows else None)
        found = read_pages(lambda page: administration.list_deployments(selection, page=page))
    named = [find_deployment(administration, name) for name in names]
    return list({each.id: each for each in [*found, *named]}.values())


def _write(path: Path, source: str) -> None:
    """Write the file, unless it is somebody else's. Raises `ConfigurationError`."""
    try:
        if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith(HEADER):
            raise ConfigurationError(f"{path} was not written by `headrace sdk generate`, so it is left as it is.")
        path.write_text(source, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"--output: {path} cannot be written: {error.strerror}.") from None
