from __future__ import annotations

from typing import Annotated
from uuid import UUID

from cyclopts import App, Parameter
from rich.text import Text

from headrace.cli.details import show_details
from headrace.cli.invocation import Flag, Injected, Output
from headrace.cli.lookup import find_flow_run, read_pages
from headrace.cli.pictures import print_artifact
from headrace.cli.runs import Limit
from headrace.cli.tables import Column, fit_table
from headrace.cli.texts import one_line, say_instant, say_when
from headrace.schema.artifact import Artifact, ArtifactCollection
from headrace.schema.filters import ArtifactCollectionFilter, ArtifactFilter, IdFilter

app = App(name="artifact", help_flags=["--help"])


@app.command
def ls(
    *,
    all_: Annotated[Flag, Parameter(["--all", "-a"])] = False,
    flow_run: str | None = None,
    limit: Limit = 15,
    output: Output = None,
    invocation: Injected,
) -> None:
    """List artifacts, newest first: of each key the latest, and none without a key.

    Parameters
    ----------
    all_
        Every version of each key, and artifacts without a key.
    flow_run
        Only artifacts of this flow run: its id, or its name if no other run has it.
    """
    with invocation.administration() as administration:
        within = IdFilter(any_=[find_flow_run(administration, flow_run).id]) if flow_run else None
        artifacts: list[Artifact] | list[ArtifactCollection]
        if all_:
            every = ArtifactFilter(flow_run_id=within)
            artifacts = read_pages(lambda page: administration.list_artifacts(every, page=page), limit)
        else:
            latest = ArtifactCollectionFilter(flow_run_id=within)
            artifacts = read_pages(lambda page: administration.list_latest_artifacts(latest, page=page), limit)
    if output == "json":
        invocation.print_json(artifacts)
        return
    if not artifacts:
        invocation.print(Text("There are no such artifacts.", "bright_black"))
        return
    columns = (Column("ID"), Column("Key", least=12), Column("Type"), Column("Created"), Column("Description", 12, 1))
    rows = [
        [
            str(artifact.latest_id if isinstance(artifact, ArtifactCollection) else artifact.id),
            one_line(artifact.key or ""),
            one_line(artifact.type or ""),
            say_when(artifact.created, invocation.now),
            one_line(artifact.description or ""),
        ]
        for artifact in artifacts
    ]
    invocation.print(fit_table(columns, rows, invocation.out.width))


@app.command
def inspect(artifact: str, /, *, output: Output = None, invocation: Injected) -> None:
    """Show an artifact.

    Parameters
    ----------
    artifact
        Its id, or a key: then the latest of that key.
    """
    with invocation.administration() as administration:
        try:
            artifact_id = UUID(artifact)
        except ValueError:
            found = administration.read_latest_artifact(artifact)
        else:
            found = administration.read_artifact(artifact_id)
    if output == "json":
        invocation.print_json(found)
        return
    print_artifact(found, invocation)
    details: list[tuple[str, str | Text]] = [("Created", say_instant(found.created, invocation.now))]
    details += [
        (name, str(run_id))
        for name, run_id in (("Flow run", found.flow_run_id), ("Task run", found.task_run_id))
        if run_id is not None
    ]
    invocation.print(show_details(details, indent=2))
