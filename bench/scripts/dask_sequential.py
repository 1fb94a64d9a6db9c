"""Dask: one task after the other, each awaited."""

from dask_tasks import measure, run_sequence

if __name__ == "__main__":
    measure(run_sequence)
