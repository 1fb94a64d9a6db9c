"""Where a task's time goes.

The argument `wall` reads the clocks of the threads; `functions` runs under cProfile, one profile a thread. With `durable`
as well, each task waits for its acknowledgement.
"""

import cProfile
import json
import os
import sys
import threading
import time
from pathlib import Path
from pstats import Stats

from report import TASKS

import headrace
from headrace import flow, task


@task(durable="durable" in sys.argv)
def noop(number):
    return number


@flow
def sequence(count):
    begin = time.perf_counter()
    for number in range(count):
        noop(number)
    return time.perf_counter() - begin


def thread_clocks() -> dict[str, float]:
    """Return the processor time of every living thread by its name."""
    clocks: dict[str, float] = {}
    for thread in threading.enumerate():
        seconds = time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
        clocks[thread.name] = clocks.get(thread.name, 0.0) + seconds
    return clocks


def measure_wall() -> dict[str, object]:
    """Run twice, so that the second run finds everything loaded, and return its times."""
    sequence(TASKS)
    before = thread_clocks()
    begin = time.perf_counter()
    loop = sequence(TASKS)
    flow_seconds = time.perf_counter() - begin
    threads = {name: seconds - before.get(name, 0.0) for name, seconds in thread_clocks().items()}
    return {"loop": loop, "flow": flow_seconds, "threads": threads}


def profile_functions() -> dict[str, object]:
    """Return the functions of the main thread and of those it starts, each with its own time and its callers."""
    profiles = {"MainThread": cProfile.Profile()}

    def follow(_frame, _event, _argument) -> None:
        profile = cProfile.Profile()
        profiles[threading.current_thread().name] = profile
        profile.enable()

    if sys.version_info < (3, 12):  # later, one profile sees all threads
        threading.setprofile(follow)
    sequence(1)
    profiles["MainThread"].enable()
    sequence(TASKS)
    profiles["MainThread"].disable()
    threading.setprofile(None)
    threads = {name: list_functions(profile) for name, profile in profiles.items()}
    return {"package": str(Path(headrace.__file__).parent), "threads": threads}


def list_functions(profile: cProfile.Profile) -> list[object]:
    profile.create_stats()
    found = []
    for (file, line, name), (_, calls, own, _, callers) in Stats(profile).stats.items():
        edges = [["|".join(map(str, caller)), edge[2], edge[3]] for caller, edge in callers.items()]
        found.append(["|".join((file, str(line), name)), calls, own, edges])
    return found


if __name__ == "__main__":
    measured = measure_wall() if sys.argv[1] == "wall" else profile_functions()
    Path(os.environ["BENCH_REPORT"]).write_text(json.dumps(measured))
