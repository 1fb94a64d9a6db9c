"""The pipelines of the stub's world: which tasks a run of each flow has."""

from datetime import datetime

from tests.e2e.stub.clock import Json, seconds
from tests.e2e.stub.runs import Shape, TaskRuns


def train(tasks: TaskRuns, began: datetime, took: float, end: str) -> None:
    """Read two months in parallel, prepare, train, report."""
    share = took / 100
    first = tasks.add("read-data", began + seconds(0.2 * share), 11 * share)
    second = tasks.add("read-data", began + seconds(0.4 * share), 14 * share, tries=2)
    prepared = tasks.add("add-features", began + seconds(22 * share), 16 * share, parents=[first, second])
    scaled = tasks.add(
        "scale-features", began + seconds(38.5 * share), 4 * share, "COMPLETED", parents=[prepared], state_name="Cached"
    )
    trained = tasks.add("train-best-model", began + seconds(43 * share), 48 * share, parents=[prepared, scaled])
    tasks.add(
        "report-rmse",
        began + seconds(92 * share),
        7 * share,
        "COMPLETED" if end == "COMPLETED" else "FAILED",
        parents=[trained],
    )


def facts(tasks: TaskRuns, began: datetime, took: float, end: str) -> None:
    """One task that needs a few tries."""
    tries = tasks.chance.choice([1, 1, 2, 3, 4])
    tasks.add(
        "fetch-cat-fact", began + seconds(0.05), took * 0.9, end if end != "RUNNING" else "COMPLETED", tries=tries
    )


def orders(tasks: TaskRuns, began: datetime, took: float, end: str) -> None:
    """Pages in waves of eight, each transformed, all merged."""
    share = took / 100
    transformed: list[Json] = []
    for page in range(24):
        start = began + seconds((2 + (page // 8) * 24 + tasks.chance.random() * 3) * share)
        read = 8 + tasks.chance.random() * 9
        extract = tasks.add("extract-page", start, read * share, tries=3 if page == 11 else 1)
        lasts = (3 + tasks.chance.random() * 4) * share
        ends = "FAILED" if end == "FAILED" and page == 20 else "COMPLETED"
        transformed.append(tasks.add("transform", start + seconds(read * share), lasts, ends, parents=[extract]))
    if end == "COMPLETED":
        merged = tasks.add("merge-orders", began + seconds(80 * share), 15 * share, parents=transformed)
        tasks.add("notify", began + seconds(96 * share), 2 * share, parents=[merged])


def wide(size: int, width: int) -> Shape:
    """A map over `size` items, `width` at a time."""

    def shape(tasks: TaskRuns, began: datetime, took: float, end: str) -> None:
        chance = tasks.chance
        source = tasks.add("list-objects", began + seconds(0.3), 2.5)
        free = [began + seconds(3 + 0.02 * lane) for lane in range(width)]
        each = (took - 6) * width / size
        made: list[Json] = []
        for index in range(size):
            lane = index % width
            lasts = each * (0.55 + 0.8 * chance.random())
            failed = chance.random() < 0.012
            tries = 2 if chance.random() < 0.02 else 1
            ends = "FAILED" if failed else "COMPLETED"
            made.append(tasks.add("resize-image", free[lane], lasts, ends, tries=tries, parents=[source]))
            free[lane] += seconds(lasts + 0.02 + (2 if tries > 1 else 0))
        tasks.add("write-index", max(free) + seconds(0.2), 2.0, parents=made[-40:])

    return shape
