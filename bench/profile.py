"""Where a task's time goes: `python -m bench.profile`, from the root of the repository.

A sequential flow runs once under the clock and once under cProfile. The time of the standard library and of compiled
code is charged to the room of Headrace that called it, so the rooms add up to the whole.
"""

import argparse
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from bench.children import adopt_orphans, prepare, run_script
from bench.environments import provide

Function = tuple[str, int, float, list[tuple[str, float, float]]]
"""Its name, its calls, its own time, and its callers with (own time, whole time) on their behalf."""

OUTSIDE = "the user's code and the profiler"
WAITING = "waiting"
WAITS = ("'acquire' of '_thread.", "'get' of '_queue.SimpleQueue'", "time.sleep", "'poll' of 'select.", "select.select")
SHARE_SHOWN = 0.005
TOP = 8


def room_of(function: str, package: str) -> str | None:
    """Return the room of Headrace a function is in, None for everybody else's code."""
    file, _, name = function.split("|", 2)
    if any(wait in name for wait in WAITS):
        return WAITING
    if not file.startswith(package):
        return None
    return Path(file).relative_to(package).parts[0].removesuffix(".py")


def charge(functions: list[Function], package: str) -> dict[str, float]:
    """Return the time of each room, with what it called outside Headrace."""
    by_name = {function[0]: function for function in functions}
    shares: dict[str, dict[str, float]] = {}

    def share(name: str, path: frozenset[str]) -> dict[str, float]:
        """Return how a function's time is divided among the rooms that it works for."""
        room = room_of(name, package)
        if room is not None:
            return {room: 1.0}
        if name in shares:
            return shares[name]
        callers = [edge for edge in by_name[name][3] if edge[0] not in path and edge[0] in by_name]
        whole = sum(edge[2] for edge in callers)
        if not whole:
            return {OUTSIDE: 1.0}
        divided: dict[str, float] = defaultdict(float)
        for caller, _, seconds in callers:
            for target, part in share(caller, path | {name}).items():
                divided[target] += part * seconds / whole
        if not path:  # below a cycle the answer depends on the way down, so only whole answers are kept
            shares[name] = dict(divided)
        return divided

    rooms: dict[str, float] = defaultdict(float)
    for name, _, own, _ in functions:
        for room, part in share(name, frozenset()).items():
            rooms[room] += part * own
    return dict(rooms)


def render_rooms(thread: str, functions: list[Function], package: str, tasks: int) -> list[str]:
    """Return one thread's time by room."""
    rooms = charge(functions, package)
    whole = sum(rooms.values())
    busy = whole - rooms.get(WAITING, 0.0)
    lines = [f"{thread}, under cProfile: {busy / tasks * 1e6:.0f} us a task, and {(whole - busy) * 1e3:.0f} ms waiting"]
    for room, seconds in sorted(rooms.items(), key=lambda item: -item[1]):
        if room != WAITING and seconds >= whole * SHARE_SHOWN:
            lines.append(f"  {room:<34}{seconds / tasks * 1e6:8.1f} us{seconds / busy * 100:6.1f} %")
    return lines


def render_functions(thread: str, functions: list[Function], tasks: int) -> list[str]:
    """Return the functions with the most time of their own."""
    lines = [f"{thread}, the functions with the most time of their own, and their calls a task"]
    working = [function for function in functions if room_of(function[0], "/") != WAITING]
    for name, calls, own, _ in sorted(working, key=lambda function: -function[2])[:TOP]:
        file, line, function = name.split("|", 2)
        place = f"{'/'.join(Path(file).parts[-2:])}:{line} {function}" if line != "0" else function
        lines.append(f"  {place[:70]:<72}{own / tasks * 1e6:8.1f} us{calls / tasks:8.2f}")
    return lines


def profile_tasks(python: Path, tasks: int, *, durable: bool = False) -> str:
    """Run the profile with this interpreter and return it as text."""
    settings = {"BENCH_TASKS": str(tasks)}
    options = ("durable",) if durable else ()
    with tempfile.TemporaryDirectory(prefix="hb-") as folder:
        home = Path(folder) / "home"
        prepare(home)
        wall: dict[str, Any] = run_script(python, ("headrace_profile.py", "wall", *options), home, settings).report
        found: dict[str, Any] = run_script(
            python, ("headrace_profile.py", "functions", *options), home, settings
        ).report
    threads = "".join(
        f"\n  {name:<34}{seconds / tasks * 1e6:8.1f} us of processor" for name, seconds in wall["threads"].items()
    )
    loop, whole = (wall[name] / tasks * 1e6 for name in ("loop", "flow"))
    clock = f"Under the clock: {loop:.1f} us a task in the loop, {whole:.1f} us until the flow returned{threads}"
    title = "Where a durable task's time goes" if durable else "Where a task's time goes"
    parts = [f"{title}. Time in a call that lets other threads run includes the wait for its turn to go on.", clock]
    ordered = sorted(found["threads"].items(), key=lambda item: item[0] != "MainThread")
    parts += ["\n".join(render_rooms(thread, functions, found["package"], tasks)) for thread, functions in ordered]
    parts += ["\n".join(render_functions(thread, functions, tasks)) for thread, functions in ordered]
    return "\n\n".join(parts)


def main(arguments: list[str]) -> None:
    """Profile and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("--headrace", type=Path, metavar="PYTHON", help="profile the Headrace of this interpreter")
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--durable", action="store_true", help="each task waits for its acknowledgement")
    options = parser.parse_args(arguments)
    adopt_orphans()
    python = options.headrace.absolute() if options.headrace else provide("headrace")
    print(profile_tasks(python, options.tasks, durable=options.durable))


if __name__ == "__main__":
    main(sys.argv[1:])
