"""Trees of processes: found, adopted and ended, those that left their session included."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from headrace.workers.trees import descendants, kill_descendants

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Trees of processes are read as Linux tells them.")

PARENT = """
import os, subprocess, sys
from headrace.workers import trees
trees.adopt_orphans()
# A grandchild that has left its session, whose parent ends at once.
script = "import subprocess; print(subprocess.Popen(['sleep', '600'], stdout=-3, stderr=-3, start_new_session=True).pid)"
print(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout.strip(), flush=True)
sys.stdin.read()
while trees.kill_descendants(os.getpid()):
    os.waitpid(-1, 0)
print("alone", flush=True)
"""

TIED = """
import os, subprocess, sys
from headrace.workers import trees
reader, writer = os.pipe()
own = os.getpid()
if not os.fork():
    os.close(reader)
    trees.die_with(own)
    print(os.getpid(), flush=True)
    import signal
    signal.pause()
sys.stdin.read()
"""


def start(script: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in {"Z", "X"}
    except FileNotFoundError:
        return False


def test_an_orphan_is_adopted_and_killed() -> None:
    process = start(PARENT)
    assert process.stdout
    orphan = int(process.stdout.readline())
    assert is_alive(orphan)
    assert orphan in descendants(process.pid)
    assert process.pid in descendants(os.getpid())
    told, _ = process.communicate()
    assert told == "alone\n"
    assert not is_alive(orphan)


def test_what_has_no_descendants_needs_no_killing() -> None:
    process = start("import sys; sys.stdin.read()")
    assert descendants(process.pid) == []
    assert kill_descendants(process.pid) == 0
    process.communicate()


def test_a_process_dies_with_its_parent() -> None:
    process = start(TIED)
    assert process.stdout
    child = int(process.stdout.readline())
    descriptor = os.pidfd_open(child)
    process.send_signal(signal.SIGKILL)
    process.wait()
    import select

    assert select.select([descriptor], [], [], 60)[0] == [descriptor]
    os.close(descriptor)
    process.communicate()
