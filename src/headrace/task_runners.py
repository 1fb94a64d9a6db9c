"""Task runners: where submitted tasks are executed."""

from headrace.engine.runners import TaskRunner, ThreadPoolTaskRunner

ConcurrentTaskRunner = ThreadPoolTaskRunner

__all__ = ["ConcurrentTaskRunner", "TaskRunner", "ThreadPoolTaskRunner"]
