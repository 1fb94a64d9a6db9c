from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number
from rich.text import Text

from headrace.base.errors import ConfigurationError, ObjectNotFound
from headrace.cli.details import show_details
from headrace.cli.invocation import Flag, Injected, Invocation, Output
from headrace.cli.lookup import choose_named, find_flow_run, read_id, read_pages
from headrace.cli.pictures import print_artifact
from headrace.cli.runs import Limit
from headrace.cli.tables import Column, fit_table
from headrace.cli.texts import one_line, say_count, say_instant, say_when
from headrace.schema.artifact import Artifact, ArtifactCollection
from headrace.schema.filters import ArtifactCollectionFilter, ArtifactFilter, IdFilter, TextFilter

if TYPE_CHECKING:
    from headrace.gateway.administration import Administration

app = App(name="artifact", help_flags=["--help"])

Named = Annotated[str, Parameter(help="Its id, or a key.")]


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
def inspect(
    artifact: Named,
    /,
    *,
    limit: Annotated[
        int | None, Parameter(validator=Number(gte=1), help="So many versions of the key, the latest first.")
    ] = None,
    output: Output = None,
    invocation: Injected,
) -> None:
    """Show an artifact; of a key, the latest version."""
    with invocation.administration() as administration:
        artifact_id = read_id(artifact)
        if artifact_id is not None:
            found = [administration.read_artifact(artifact_id)]
        elif limit is None:
            found = [administration.read_latest_artifact(artifact)]
        else:
            found = _list_versions(administration, artifact, limit)
    if output == "json":
        invocation.print_json(found if limit is not None else found[0])
        return
    for each in found:
        _print_whole(each, invocation)


@app.command
def delete(
    artifact: Annotated[str | None, Parameter(help="A key, of which all versions are deleted, or an id.")] = None,
    /,
    *,
    id_: Annotated[str | None, Parameter("--id", help="Delete the artifact of this id.")] = None,
    invocation: Injected,
) -> None:
    """Delete an artifact, or all versions of a key. Asks first, when run in a terminal."""
    named = choose_named(artifact, id_, "artifact")
    with invocation.administration() as administration:
        artifact_id = read_id(named)
        if artifact_id is not None:
            found = [administration.read_artifact(artifact_id)]
            shown = f"artifact {artifact_id}"
        else:
            found = _list_versions(administration, named, None)
            shown = f"{say_count(len(found), 'version')} of artifact {one_line(named)}"
        if not invocation.confirm(f"Delete {shown}?"):
            raise ConfigurationError("Nothing was deleted.")
        for each in found:
            administration.delete_artifact(each.id)
    invocation.print_line(f"Deleted {shown}.")


def _list_versions(administration: Administration, key: str, limit: int | None) -> list[Artifact]:
    """The artifacts of a key, the latest first. Raises `ObjectNotFound` when there is none."""
    of_key = ArtifactFilter(key=TextFilter(any_=[key]))
    found = read_pages(lambda page: administration.list_artifacts(of_key, page=page), limit)
    if not found:
        raise ObjectNotFound(f"There is no artifact with the key {key!r}.")
    return found


def _print_whole(found: Artifact, invocation: Invocation) -> None:
    print_artifact(found, invocation)
    details: list[tuple[str, str | Text]] = [("Created", say_instant(found.created, invocation.now))]
    details += [
        (name, str(run_id))
        for name, run_id in (("Flow run", found.flow_run_id), ("Task run", found.task_run_id))
        if run_id is not None
    ]
    invocation.print(show_details(details, indent=2))
