"""Base job templates: for each type of work pool, which job variables a deployment may set, and what they mean."""

from __future__ import annotations

from typing import Any, Final

from headrace.schema.wire import Wire

PROCESS_TEMPLATE: Final[dict[str, Any]] = {
    "job_configuration": {
        "env": "{{ env }}",
        "working_dir": "{{ working_dir }}",
        "grace_seconds": "{{ grace_seconds }}",
    },
    "variables": {
        "type": "object",
        "properties": {
            "env": {
                "title": "Environment variables",
                "description": "Variables that the run's process finds beside those of its worker.",
                "type": "object",
                "additionalProperties": {"type": "string"},
            },
            "working_dir": {
                "title": "Working directory",
                "description": "Where the run begins; by default an empty folder of its own.",
                "type": "string",
            },
            "grace_seconds": {
                "title": "Grace",
                "description": "Seconds that a run which is to end has for it before its processes are killed.",
                "type": "number",
                "default": 30,
            },
        },
    },
}


class WorkerKind(Wire, kw_only=True):
    """A type of work pool that there are workers for, as the catalogue tells of it."""

    type: str
    display_name: str
    description: str
    default_base_job_configuration: dict[str, Any]


CATALOGUE: Final = {
    "headrace": {
        "process": WorkerKind(
            type="process",
            display_name="Process",
            description="Each run is a process on the worker's machine.",
            default_base_job_configuration=PROCESS_TEMPLATE,
        )
    }
}
"""Every type of work pool that there are workers for, by the package that brings them."""

TEMPLATES: Final[dict[str, dict[str, Any]]] = {
    name: kind.default_base_job_configuration for kinds in CATALOGUE.values() for name, kind in kinds.items()
}
"""The template of a pool that is created without one, by its type."""
