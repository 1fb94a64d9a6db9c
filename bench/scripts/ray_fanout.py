"""Ray: all tasks submitted at once."""

from ray_tasks import measure, run_fanout

if __name__ == "__main__":
    measure(run_fanout)
