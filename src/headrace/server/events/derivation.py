"""Where what serves the log finds who tells it in the contract's form: automations read it by the same one."""

from headrace.orchestration.narration import PREFIXES, Narrator

__all__ = ["PREFIXES", "Narrator"]
