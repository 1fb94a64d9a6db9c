"""A flow that says when its first line is executed; as a program it serves that flow."""

import time
from pathlib import Path

from prefect import flow


@flow
def stamp(place: str):
    now = time.time()
    part = Path(f"{place}.part")
    part.write_text(str(now))
    part.rename(place)


if __name__ == "__main__":
    stamp.serve(name="served")
