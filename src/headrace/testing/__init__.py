"""What flows and the engine are tested with: a clock that stands still, lifecycles played by a script, runs that record."""

from headrace.testing.frozen import FrozenClock, frozen_clock
from headrace.testing.harness import headrace_test_harness
from headrace.testing.recording import RecordingRun, RecordingSession
from headrace.testing.scripted import (
    ScriptMismatch,
    Step,
    asks,
    calls,
    emits,
    enters,
    gives,
    improvise,
    play,
    proposes,
    sleeps,
    takes,
)

__all__ = [
    "FrozenClock", "RecordingRun", "RecordingSession", "ScriptMismatch", "Step", "asks", "calls", "emits", "enters",
    "frozen_clock", "gives", "headrace_test_harness", "improvise", "play", "proposes", "sleeps", "takes",
]  # fmt: skip
