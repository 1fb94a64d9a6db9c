"""The run that executes here, and the tags its runs get."""

from headrace.engine.context import FlowContext as FlowRunContext
from headrace.engine.context import TaskContext as TaskRunContext
from headrace.engine.context import current_flow_run, current_run, current_task_run, tags

__all__ = ["FlowRunContext", "TaskRunContext", "current_flow_run", "current_run", "current_task_run", "tags"]
