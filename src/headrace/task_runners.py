"""Task runners: where submitted tasks are executed."""

from headrace.engine.background_runner import HeadraceTaskRunner
from headrace.engine.runners import TaskRunner, ThreadPoolTaskRunner

ConcurrentTaskRunner = ThreadPoolTaskRunner

__all__ = ["ConcurrentTaskRunner", "HeadraceTaskRunner", "TaskRunner", "ThreadPoolTaskRunner"]
