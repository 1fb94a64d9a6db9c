"""A script that records into a database pays nothing for the way over the wire."""

import subprocess
import sys

HEAVY = {"httpx2", "headrace.client"}

IMPORTED = "from headrace import flow, task"

EMBEDDED = """
from headrace import flow, task

@flow
def nothing():
    pass

nothing()
"""


def loaded(script: str) -> set[str]:
    shown = subprocess.run(
        [sys.executable, "-c", f"{script}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return HEAVY & {*shown.stdout.split()}


def test_importing_flow_and_task_loads_no_http_client() -> None:
    assert loaded(IMPORTED) == set()


def test_an_embedded_script_never_loads_it() -> None:
    assert loaded(EMBEDDED) == set()


def test_what_speaks_over_the_wire_loads_it() -> None:
    assert loaded("import headrace.client.execution") == HEAVY
