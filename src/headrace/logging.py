"""Loggers: of the run that executes here, and Headrace's own."""

from headrace.engine.logs import LogEavesdropper, disable_run_logger, get_logger, get_run_logger

__all__ = ["LogEavesdropper", "disable_run_logger", "get_logger", "get_run_logger"]
