"""What is known of the run that executes here: `runtime.flow_run.name`, `runtime.task_run.id`, … None outside of a run."""

from headrace.runtime import flow_run, task_run

__all__ = ["flow_run", "task_run"]
