"""Find two months of green taxi trips, and say where they come from.

    python data.py            brings them to ./data, where orchestrate.py looks for them
    python data.py FOLDER     brings them to FOLDER

They are taken from the folder that HEADRACE_TAXI_DATA names, else from `../shared/data` beside the repository, else
from the public files of New York's Taxi and Limousine Commission (TLC), else they are made up by generate.py.
"""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2

TRAIN = "green_tripdata_2021-01.parquet"
VALIDATION = "green_tripdata_2021-02.parquet"
TLC = "https://d37ci6vzurychx.cloudfront.net/trip-data/"
MADE_UP = "MADE_UP_BY_GENERATE_PY"
BESIDE_THE_REPOSITORY = Path(__file__).resolve().parents[3] / "shared" / "data"


def find_trips(cache: Path, say: Callable[[str], None] = print) -> tuple[Path, Path]:
    """The files to train and to validate with; only those that are not on this machine yet are put into `cache`."""
    named = os.environ.get("HEADRACE_TAXI_DATA")
    if named:
        if not holds_trips(Path(named)):
            raise SystemExit(f"HEADRACE_TAXI_DATA: {named} does not hold {TRAIN} and {VALIDATION}")
        folder = Path(named)
        say(f"Trips from {folder} (HEADRACE_TAXI_DATA)")
    elif holds_trips(BESIDE_THE_REPOSITORY):
        folder = BESIDE_THE_REPOSITORY
        say(f"Trips from {folder}")
    elif holds_trips(cache):
        folder = cache
        made_up = " (MADE UP by generate.py)" if (folder / MADE_UP).exists() else ""
        say(f"Trips that an earlier run left in {folder}{made_up}")
    else:
        folder = cache
        bring_trips(cache, say)
    return folder / TRAIN, folder / VALIDATION


def holds_trips(folder: Path) -> bool:
    return (folder / TRAIN).is_file() and (folder / VALIDATION).is_file()


def bring_trips(folder: Path, say: Callable[[str], None]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for name in (TRAIN, VALIDATION):
            say(f"Downloading {name} from the TLC")
            download(TLC + name, folder / name)
    except (httpx2.HTTPError, OSError) as error:
        from generate import generate_month

        say(f"No download ({type(error).__name__}: {error}), so these trips are MADE UP by generate.py")
        (folder / MADE_UP).touch()
        generate_month("2021-01", 70_000).to_parquet(folder / TRAIN)
        generate_month("2021-02", 60_000).to_parquet(folder / VALIDATION)


def download(url: str, path: Path) -> None:
    """Whole or not at all: the name appears when the last byte is there."""
    partial = path.with_suffix(".partial")
    with httpx2.stream("GET", url, timeout=20, follow_redirects=True) as response, partial.open("wb") as file:
        response.raise_for_status()
        for chunk in response.iter_bytes():
            file.write(chunk)
    partial.replace(path)


def main(folder: str = "./data") -> None:
    target = Path(folder)
    for path in find_trips(target):
        if path.parent != target:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / path.name)


if __name__ == "__main__":
    main(*sys.argv[1:])
