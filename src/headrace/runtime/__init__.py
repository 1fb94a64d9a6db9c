"""What is known of the run that executes here: `runtime.flow_run.name`, `runtime.task_run.id`, `runtime.deployment.name`, …

None outside of a run.
"""

from headrace.runtime import deployment, flow_run, task_run

__all__ = ["deployment", "flow_run", "task_run"]
