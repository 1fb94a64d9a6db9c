"""Dask: all tasks submitted at once."""

from dask_tasks import measure, run_fanout

if __name__ == "__main__":
    measure(run_fanout)
