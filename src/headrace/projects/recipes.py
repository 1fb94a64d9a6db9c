"""Beginning a project: the files it starts with. None that is there is ever overwritten."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib.metadata import version
from pathlib import Path

from msgspec import Struct

from headrace.base.errors import ConfigurationError
from headrace.outbound.git import find_branch, find_origin, hide_credentials
from headrace.projects.project_files import OLDER, OURS
from headrace.projects.steps.naming import PREFIX

IGNORED = """\
# What is no part of the project's code, as in .gitignore.
.git/
.headrace/
.venv/
venv/
__pycache__/
*.py[cod]
.ipynb_checkpoints/
.pytest_cache/
.mypy_cache/
.ruff_cache/
.DS_Store
.env
"""

PROJECT = """\
# What the deployments of this project are, and how their code comes to where it runs.
# `headrace deploy --all` deploys them; `headrace deploy flow.py:function -n NAME` needs no entry here.
name: {name}
headrace-version: {version}

# Done before deploying: steps such as {prefix}run_shell_script.
build: []
push: []

# Done before each run, where it runs.
pull:
{pull}
deployments: []
# - name: daily
#   entrypoint: flow.py:function
#   work_pool:
#     name: default
#   schedules:
#   - cron: "0 6 * * *"
#     timezone: Europe/Berlin
#   parameters: {{}}
#   tags: []
"""

DEPLOYMENT = """\
# One deployment of this project. `headrace deploy flow.py:function -n NAME -p POOL` fills in what is null here.
name: null
version: null
tags: []
description: null
schedule: null

flow_name: null
entrypoint: null
parameters: {}

work_pool:
  name: null
  work_queue_name: null
  job_variables: {}
"""

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


class Recipe(Struct, frozen=True):
    """A way in which a project's code comes to where it runs: its fields, with what each is by default here."""

    title: str
    fields: dict[str, Callable[[Path], str | None]]
    make_pull: Callable[[Mapping[str, str]], str]


def _set_directory(fields: Mapping[str, str]) -> str:
    return f"- {PREFIX}set_working_directory:\n    directory: {quote(fields['directory'])}\n"


def _clone(fields: Mapping[str, str]) -> str:
    return (
        f"- {PREFIX}git_clone:\n    repository: {quote(fields['repository'])}\n    branch: {quote(fields['branch'])}\n"
        '    # access_token: "{{ $GIT_TOKEN }}"\n'
    )


RECIPES = {
    "local": Recipe("Runs use the code in this folder.", {"directory": str}, _set_directory),
    "git": Recipe(
        "Runs clone the code from a git repository.",
        {"repository": find_origin, "branch": lambda folder: find_branch(folder) or "main"},
        _clone,
    ),
}


class Begun(Struct, frozen=True):
    """What became of a file: written, or left alone since it is there."""

    name: str
    written: bool


def init_project(
    folder: Path, *, name: str | None = None, recipe: str | None = None, fields: Mapping[str, str], older: bool = False
) -> tuple[str, list[Begun]]:
    """Write the files a project starts with; the recipe that was used, and what became of each file.

    Without a recipe it is git where the folder was cloned from somewhere, else local. `older` writes the files that
    projects began with before. Raises `ConfigurationError` for a recipe or field that there is not.
    """
    folder = folder.absolute()
    chosen = recipe or ("git" if find_origin(folder) is not None else "local")
    values = _fill_in(folder, chosen, fields)
    text = PROJECT.format(
        name=quote(name or folder.name or "project"),
        version=quote(version("headrace")),
        prefix=PREFIX,
        pull=RECIPES[chosen].make_pull(values),
    )
    files = {OURS: text, ".headraceignore": IGNORED}
    if older:
        files = {OURS: text, OLDER: DEPLOYMENT, ".headraceignore": IGNORED}
    begun = [Begun(file, _write(folder / file, content)) for file, content in files.items()]
    if older:
        place = folder / ".headrace"
        begun.append(Begun(".headrace/", not place.exists()))
        place.mkdir(exist_ok=True)
    return chosen, begun


def quote(text: str) -> str:
    """A text as YAML: as it is where it reads as a text, else in quotes."""
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)


def _fill_in(folder: Path, recipe: str, given: Mapping[str, str]) -> dict[str, str]:
    if recipe not in RECIPES:
        nearest = get_close_matches(recipe, RECIPES, n=1)
        advice = f"did you mean {nearest[0]!r}?" if nearest else f"there are {', '.join(RECIPES)}."
        raise ConfigurationError(f"There is no recipe {recipe!r}; {advice}")
    known = RECIPES[recipe].fields
    for field in given:
        if field not in known:
            raise ConfigurationError(f"Recipe {recipe} has no field {field!r}; it has {', '.join(known)}.")
    values: dict[str, str] = {}
    for field, guess in known.items():
        value = given.get(field) or guess(folder)
        if not value:
            raise ConfigurationError(f"Recipe {recipe} needs its field {field!r}: add --field {field}=….")
        # What is written into the file is seen by everybody who sees the project.
        if hide_credentials(value) != value and not value.startswith("ssh://"):
            value = re.sub(r"://[^/@\s]+@", "://", value)
        values[field] = value
    return values


def _write(path: Path, content: str) -> bool:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        return False
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}.") from None
    return True
