"""Steps one after the other: each is given what those before it gave."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from headrace.base.errors import ConfigurationError
from headrace.projects.placeholders import Known
from headrace.projects.steps.inputs import read_inputs
from headrace.projects.steps.naming import Step, read_step
from headrace.projects.steps.performing import Place, install_missing, perform
from headrace.projects.steps.programs import Log


def run_pull_steps(
    steps: Sequence[Mapping[str, Any]],
    folder: Path,
    log: Log,
    variables: Callable[[str], Any],
    blocks: Callable[[str], Any],
) -> Path:
    """Bring a deployment's code to where it is to run, and return the directory that its flow is loaded from.

    Steps work in `folder`, or from `set_working_directory` on in that directory; what they clone is put there. Lines of
    programs and of our own go to `log`, on this thread; `variables` and `blocks` read one by its name. Raises
    `ConfigurationError` in one line that names the step.
    """
    read = [_read(number, written) for number, written in enumerate(steps, 1)]
    place = Place(folder.absolute(), folder.absolute(), log, variables, blocks)
    run_steps(read, place, {})
    return place.code


def run_steps(steps: Sequence[Step], place: Place, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Run steps, and return what is known after them: by a step's id, and each output by its own name as well."""
    known = dict(outputs)
    for number, step in enumerate(steps, 1):
        try:
            install_missing(step.requires, place)
            filled = Known(environ=os.environ, variables=place.variables, blocks=place.blocks, outputs=known).fill_in(
                step.inputs
            )
            given = perform(read_inputs(step.name, filled), place)
        except ConfigurationError as error:
            raise ConfigurationError(f"Step {number}, {step.name}: {error}") from None
        known.update(given)
        if step.id is not None:
            known[step.id] = given
    return known


def _read(number: int, written: Any) -> Step:
    try:
        return read_step(written)
    except ConfigurationError as error:
        raise ConfigurationError(f"Step {number}: {error}") from None
