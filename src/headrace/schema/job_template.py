"""Base job templates: for each type of work pool, which job variables a deployment may set, and what they mean."""

from __future__ import annotations

from typing import Any, Final

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

TEMPLATES: Final[dict[str, dict[str, Any]]] = {"process": PROCESS_TEMPLATE}
"""The template of a pool that is created without one, by its type: the types that there are workers for."""
