"""Ask a running Prefect server how many of a flow's tasks are Completed.

Without a server there is nobody to ask once the flow has returned: the bench
counts in the database file after the script has ended.
"""

import json
import os
import urllib.request

from report import TASKS, report, wait_until_readable


def count_completed(api: str, flow_run_id: str) -> int:
    wanted = {
        "flow_runs": {"id": {"any_": [flow_run_id]}},
        "task_runs": {"state": {"type": {"any_": ["COMPLETED"]}}},
    }
    request = urllib.request.Request(
        f"{api}/task_runs/count", json.dumps(wanted).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def measure(flow) -> None:
    """Run the flow, which returns when its tasks began and ended and its id; wait until every task run is readable."""
    begin, ended, flow_run_id = flow(TASKS)
    api = os.environ.get("PREFECT_API_URL")
    if api is None:
        report(seconds=ended - begin)
        return
    readable, seen = wait_until_readable(lambda: count_completed(api, flow_run_id), TASKS, ended, 0.1)
    report(seconds=ended - begin, readable_seconds=readable, recorded=seen)
