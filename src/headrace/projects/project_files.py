"""The files of a project: `headrace.yaml`, and those of existing projects, which are read as they are.

In `headrace.yaml` a key that there is not is an error. In a foreign file it is passed over, and a note says so.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

from msgspec import Struct, field

from headrace.base.errors import ConfigurationError
from headrace.projects.definitions import Draft, Steps
from headrace.projects.documents import Document, Route, read_document
from headrace.projects.steps.naming import PREFIX

OURS = "headrace.yaml"
FOREIGN = "prefect.yaml"
OLDER = "deployment.yaml"

KEYS = ("name", "headrace-version", "prefect-version", "build", "push", "pull", "definitions", "deployments")
FLAT_MARKS = frozenset({"infra_overrides", "infrastructure", "manifest_path", "storage", "work_pool_name"})
"""What only the flat file says that was written for one deployment before there were projects."""
FLAT_KEYS = (
    "name",
    "version",
    "tags",
    "description",
    "flow_name",
    "entrypoint",
    "parameters",
    "enforce_parameter_schema",
)


class Project(Struct, kw_only=True):
    """A folder, what its file says for all of its deployments, and the deployments. `notes` tell what was passed over."""

    folder: Path
    document: Document
    build: Steps = field(default_factory=list[dict[str, Any]])
    push: Steps = field(default_factory=list[dict[str, Any]])
    pull: Steps = field(default_factory=list[dict[str, Any]])
    drafts: list[Draft] = field(default_factory=list[Draft])
    notes: list[str] = field(default_factory=list[str])


def open_project(folder: Path, file: Path | None = None) -> Project:
    """The project in a folder, as `file` says it, or else the file that is there; without any, one that says nothing.

    Raises `ConfigurationError` in one line, with the file's line, for what cannot be.
    """
    folder = folder.absolute()
    main = _find_main(folder, file)
    if main is None:
        return Project(folder=folder, document=Document(folder / OURS, OURS, {}, {}))
    project = _read(folder, main, main.name if file is None else str(file))
    older = folder / OLDER
    if not project.drafts and main != older and older.is_file():
        listed = _read(folder, older, OLDER)
        project.drafts = listed.drafts
        project.notes += listed.notes
        for kind in ("build", "push", "pull"):
            setattr(project, kind, getattr(listed, kind) or getattr(project, kind))
    return project


def _find_main(folder: Path, file: Path | None) -> Path | None:
    if file is not None:
        return folder / file
    return next((path for name in (OURS, FOREIGN, OLDER) if (path := folder / name).is_file()), None)


def _read(folder: Path, path: Path, shown: str) -> Project:
    document = read_document(path, shown)
    value = document.value
    if {"deployments", "headrace-version", "prefect-version"} & value.keys():
        return _read_project(folder, document)
    project = Project(folder=folder, document=document)
    if FLAT_MARKS & value.keys():
        _add_flat(project)
    elif {"entrypoint", "flow_name"} & value.keys():
        _add(project, (), value, strict=False)
    else:
        return _read_project(folder, document)
    return project


def _read_project(folder: Path, document: Document) -> Project:
    value = document.value
    strict = "prefect-version" not in value and not document.path.name.startswith(("prefect", "deployment"))
    project = Project(folder=folder, document=document)
    if strict:
        document.check_keys((), value, KEYS)
    else:
        _note(project, [key for key in value if key not in KEYS and value[key]])
    for kind in ("build", "push", "pull"):
        setattr(project, kind, read_steps(document, (kind,), value.get(kind)))
    listed = value.get("deployments")
    if listed is not None and not isinstance(listed, list):
        raise document.error(("deployments",), "deployments is a list, each beginning with `- name: …`.")
    for place, each in enumerate(cast("list[Any]", listed or [])):
        if not isinstance(each, dict):
            raise document.error(("deployments", place), "a deployment is made of keys with values.")
        _add(project, ("deployments", place), cast("dict[str, Any]", each), strict=strict)
    return project


def read_steps(document: Document, route: Route, steps: Any) -> Steps:
    """A list of steps. Raises `ConfigurationError` for what is none."""
    if steps is None:
        return []
    if not isinstance(steps, list) or not all(isinstance(each, dict) for each in cast("list[Any]", steps)):
        raise document.error(route, f"{route[-1]} is a list of steps, each like `- {PREFIX}git_clone:`.")
    return cast("Steps", steps)


def _add(project: Project, route: Route, value: dict[str, Any], *, strict: bool, folder: Path | None = None) -> None:
    draft = Draft(project.document, route, value, folder)
    if strict:
        draft.check_keys()
    else:
        _flatten_schedules(value)
        _note(project, draft.drop_keys())
    if draft.value.pop("sla", None):
        _note(project, ["sla"])
    project.drafts.append(draft)


def _flatten_schedules(value: dict[str, Any]) -> None:
    """Schedules were also written with what says when they are due in a mapping of its own."""
    listed = value.get("schedules")
    for place, each in enumerate(cast("list[Any]", listed) if isinstance(listed, list) else []):
        outer = cast("dict[str, Any]", each) if isinstance(each, dict) else {}
        inner = outer.get("schedule")
        if isinstance(inner, dict):
            own = {key: outer[key] for key in outer if key != "schedule"}
            cast("list[Any]", listed)[place] = {**cast("dict[str, Any]", inner), **own}


def _add_flat(project: Project) -> None:
    """Read the file that was written for one deployment before there were projects."""
    document = project.document
    said = document.value
    value = {key: said[key] for key in FLAT_KEYS if said.get(key) is not None}
    pool, queue = said.get("work_pool_name"), said.get("work_queue_name")
    value["work_pool"] = {
        "name": pool,
        "work_queue_name": queue,
        "job_variables": said.get("job_variables") or said.get("infra_overrides"),
    }
    for key in ("schedule", "schedules"):
        if said.get(key):
            value[key] = said[key]
    for key in ("work_pool_name", "work_queue_name", "job_variables"):
        document.lines["work_pool", key.removeprefix("work_pool_")] = document.lines.get((key,), 1)
    if said.get("is_schedule_active") is False or said.get("paused") is True:
        value["paused"] = True
    folder = _find_code(project, said.get("path"))
    if folder is not None:
        value["pull"] = [{f"{PREFIX}set_working_directory": {"directory": str(folder)}}]
    known = {
        *FLAT_KEYS,
        "work_pool_name",
        "work_queue_name",
        "job_variables",
        "infra_overrides",
        "schedule",
        "schedules",
    }
    # The schema follows from the flow; what else there is described what started runs then, which the work pool does now.
    known |= {"is_schedule_active", "paused", "path", "parameter_openapi_schema", "timestamp"}
    passed_over = [key for key in said if key not in known and said[key] not in (None, [], {}, "")]
    _note(project, passed_over)
    _add(project, (), value, strict=False, folder=folder)


def _find_code(project: Project, path: Any) -> Path | None:
    if path is None or path == "":
        return None
    if not isinstance(path, str):
        raise project.document.error(("path",), "path is a text.")
    folder = (project.document.path.parent / path).absolute()
    if folder.is_dir():
        return folder
    project.notes.append(
        f"{project.document.place(('path',))}: {path} is not here; the flow is loaded from {project.folder}."
    )
    return None


def _note(project: Project, keys: list[str]) -> None:
    if keys:
        project.notes.append(f"{project.document.shown}: passed over what means nothing here: {', '.join(keys)}.")


def choose_drafts(project: Project, names: list[str], *, every: bool = False) -> list[Draft]:
    """The deployments of a project that are called so: by name, `flow/name`, or with `*`. The only one needs no name.

    Raises `ConfigurationError` with the names there are.
    """
    drafts, shown = project.drafts, project.document.shown
    if not drafts:
        raise ConfigurationError(
            f"{shown} has no deployments: add one, or name an entrypoint, path/to/file.py:function."
            if project.document.lines
            else "There is nothing to deploy: name an entrypoint, path/to/file.py:function; `headrace init` begins a project."
        )
    if every or (not names and len(drafts) == 1):
        return drafts
    choice = ", ".join(draft.name or "(without a name)" for draft in drafts)
    if not names:
        raise ConfigurationError(f"{shown} has {len(drafts)} deployments: name some with -n, or take --all: {choice}.")
    chosen: list[Draft] = []
    for name in names:
        found = [draft for draft in drafts if _is_called(draft, name)]
        if not found:
            raise ConfigurationError(f"{shown} has no deployment {name!r}; it has {choice}.")
        chosen += [draft for draft in found if draft not in chosen]
    return chosen


def find_base(project: Project, entrypoint: str, name: str | None) -> Draft:
    """What the project says of a deployment whose entrypoint is named: the one of that name, or the only one of that
    entrypoint, or one that has neither and waits for both; else nothing.
    """
    if name is not None:
        bases = [draft for draft in project.drafts if draft.name == name]
    else:
        bases = [draft for draft in project.drafts if draft.value.get("entrypoint") == entrypoint]
    bases = bases or [draft for draft in project.drafts if not draft.name and not draft.value.get("entrypoint")]
    return bases[0] if len(bases) == 1 else Draft(Document(project.document.path, project.document.shown, {}, {}))


def _is_called(draft: Draft, name: str) -> bool:
    own = draft.name
    return own is not None and (fnmatchcase(own, name) or fnmatchcase(f"{draft.value.get('flow_name')}/{own}", name))
