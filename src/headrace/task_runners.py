"""Task runners: where submitted tasks are executed."""

from headrace.engine.runner import TaskRunner, Work
from headrace.engine.runners.threads import ThreadPoolTaskRunner

ConcurrentTaskRunner = ThreadPoolTaskRunner

__all__ = ["ConcurrentTaskRunner", "TaskRunner", "ThreadPoolTaskRunner", "Work"]
