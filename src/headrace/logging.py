"""Loggers: of the run that executes here, and Headrace's own."""

from headrace.engine.logs import get_logger, get_run_logger

__all__ = ["get_logger", "get_run_logger"]
