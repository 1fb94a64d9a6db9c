"""The steps there are, under their names and those that existing projects know them by."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, cast

from msgspec import Struct

from headrace.base.errors import ConfigurationError
from headrace.projects.steps.inputs import INPUTS, check_names

PREFIX = "headrace.deployments.steps."
FOREIGN = (
    "prefect.deployments.steps.core.",
    "prefect.deployments.steps.pull.",
    "prefect.deployments.steps.utility.",
    "prefect.deployments.steps.",
    "prefect.projects.steps.",
)
OLDER = {"git_clone_project": "git_clone"}


class Step(Struct, frozen=True):
    """One step: its short name, the id that its outputs are known by, the packages it needs, and what it is given."""

    name: str
    id: str | None
    requires: tuple[str, ...]
    inputs: dict[str, Any]

    def to_document(self) -> dict[str, Any]:
        """The step as it stands in a file and in a deployment."""
        own: dict[str, Any] = {} if self.id is None else {"id": self.id}
        if self.requires:
            own["requires"] = [*self.requires]
        return {PREFIX + self.name: {**own, **self.inputs}}


def read_step(written: Any) -> Step:
    """The step that stands in a file or a deployment. Raises `ConfigurationError` for one that there is not, or not so."""
    if not isinstance(written, dict) or len(cast("dict[Any, Any]", written)) != 1:
        raise ConfigurationError(
            f"A step is written as its name with what it is given below, like `{PREFIX}git_clone:`."
        )
    ((full, given),) = cast("dict[Any, Any]", written).items()
    name = find_name(str(full))
    if given is not None and not isinstance(given, dict):
        raise ConfigurationError(f"What step {name} is given is written as names with values.")
    inputs: dict[str, Any] = dict(cast("Mapping[str, Any]", given or {}))
    step_id, needed = inputs.pop("id", None), inputs.pop("requires", None)
    if step_id is not None and not isinstance(step_id, str):
        raise ConfigurationError(f"The id of step {name} is a text, not {step_id!r}.")
    packages = [needed] if isinstance(needed, str) else needed or []
    if not isinstance(packages, list) or not all(isinstance(each, str) for each in cast("list[Any]", packages)):
        raise ConfigurationError(f"What step {name} requires is a package or a list of packages, not {needed!r}.")
    check_names(name, inputs)
    return Step(name, step_id, tuple(cast("list[str]", packages)), inputs)


def find_name(full: str) -> str:
    """The short name of a step. Raises `ConfigurationError` with the nearest one there is."""
    for prefix in (PREFIX, *FOREIGN):
        if full.startswith(prefix):
            short = full.removeprefix(prefix)
            short = OLDER.get(short, short)
            if short in INPUTS:
                return short
    nearest = get_close_matches(full.rpartition(".")[2], INPUTS, n=1, cutoff=0.5)
    advice = f"did you mean {PREFIX}{nearest[0]}?" if nearest else f"after {PREFIX} there are {', '.join(INPUTS)}."
    raise ConfigurationError(f"There is no step {full!r}; {advice}")
