"""Luigi with one worker."""

from luigi_tasks import measure

if __name__ == "__main__":
    measure(workers=1)
