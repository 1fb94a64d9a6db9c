"""Luigi with two worker processes."""

from luigi_tasks import measure

if __name__ == "__main__":
    measure(workers=2)
