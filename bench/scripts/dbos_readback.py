"""Start DBOS on a SQLite file, run one workflow and count its recorded steps."""

from dbos import DBOS, SetWorkflowID
from report import TASKS, report, wait_until_readable

DBOS(config={"name": "bench", "system_database_url": "sqlite:///dbos.sqlite"})


def launch() -> None:
    """Start DBOS once the workflows are declared."""
    DBOS.launch()


def conclude(workflow_id: str, begin: float, ended: float) -> None:
    """Wait until every step of the workflow is readable, report, and stop DBOS."""

    def count() -> int:
        return len(DBOS.list_workflow_steps(workflow_id, load_output=False))

    readable, seen = wait_until_readable(count, TASKS, ended, 0.01)
    report(seconds=ended - begin, readable_seconds=readable, recorded=seen)
    DBOS.destroy()


def naming(workflow_id: str) -> SetWorkflowID:
    """Name the workflow that is started inside this block."""
    return SetWorkflowID(workflow_id)
