"""A flow that says when its first line is executed."""

import time
from pathlib import Path

from headrace import flow


@flow
def stamp(place: str):
    now = time.time()
    part = Path(f"{place}.part")
    part.write_text(str(now))
    part.rename(place)
