from uuid import UUID

import pytest

from headrace.rules.slots import LATEST, SOONEST, Limit, Place, Wish, decide_slots, faded, find_served

DB, GPU = "db", "gpu"


@pytest.mark.parametrize(
    ("wish", "limits"),
    [
        (Wish([], 1), {}),
        (Wish([DB], 1), {}),
        (Wish([DB], 1), {DB: Limit(1, 0)}),
        (Wish([DB], 2), {DB: Limit(3, 1)}),
        (Wish([DB, GPU], 1), {DB: Limit(1, 0), GPU: Limit(4, 3)}),
        (Wish([DB], 1), {DB: Limit(1, 1e-12, decay=1.0)}),
    ],
)
def test_what_fits_is_granted(wish: Wish, limits: dict[str, Limit]) -> None:
    assert decide_slots(wish, limits, []) is None


@pytest.mark.parametrize(
    ("wish", "limits", "place"),
    [
        (Wish([DB], 1), {DB: Limit(1, 1)}, Place(1, LATEST)),
        (Wish([DB], 1), {DB: Limit(0, 0)}, Place(1, LATEST)),
        (Wish([DB], 2), {DB: Limit(3, 2, next_free=4.0)}, Place(1, 4.0)),
        (Wish([DB, GPU], 1), {DB: Limit(1, 0), GPU: Limit(1, 1, next_free=2.0)}, Place(1, 2.0)),
        (Wish([DB, GPU], 1), {DB: Limit(1, 1, next_free=3.0), GPU: Limit(1, 1, next_free=2.0)}, Place(1, 3.0)),
        (Wish([DB], 1), {DB: Limit(1, 1, next_free=0.0)}, Place(1, SOONEST)),
        (Wish([DB], 1), {DB: Limit(10, 10, decay=0.5)}, Place(1, 2.0)),
        (Wish([DB], 1), {DB: Limit(1, 9, decay=0.1)}, Place(1, LATEST)),
    ],
)
def test_what_does_not_fit_waits_in_line(wish: Wish, limits: dict[str, Limit], place: Place) -> None:
    assert decide_slots(wish, limits, []) == place


@pytest.mark.parametrize(
    ("ahead", "limits", "position"),
    [
        ([Wish([DB], 1)], {DB: Limit(1, 0)}, 2),
        ([Wish([DB], 1)], {DB: Limit(2, 0)}, None),
        ([Wish([DB], 5)], {DB: Limit(5, 1)}, 2),
        ([Wish([DB], 1), Wish([DB], 1)], {DB: Limit(2, 0)}, 3),
        ([Wish([GPU], 1)], {DB: Limit(1, 0), GPU: Limit(0, 0)}, None),
        ([Wish([DB, GPU], 1)], {DB: Limit(1, 0), GPU: Limit(1, 1)}, None),
        ([Wish([DB, GPU], 1)], {DB: Limit(1, 0), GPU: Limit(1, 0)}, 2),
        ([Wish([DB, "free"], 1)], {DB: Limit(1, 0)}, 2),
    ],
    ids=[
        "the last slot is kept for who came first",
        "there is enough for both",
        "a great wish is not overtaken by small ones",
        "everybody ahead counts",
        "a line for something else is another line",
        "who waits for another limit does not block this one",
        "who can have both has them kept",
        "names without a limit keep nobody waiting",
    ],
)
def test_first_come_first_served(ahead: list[Wish], limits: dict[str, Limit], position: int | None) -> None:
    place = decide_slots(Wish([DB], 1), limits, ahead)
    assert (place and place.position) == position


@pytest.mark.parametrize(
    ("level", "elapsed", "decay", "left"), [(5, 2, 1, 3), (5, 10, 1, 0), (5, -3, 1, 5), (5, 3, 0, 5)]
)
def test_used_slots_fade(level: float, elapsed: float, decay: float, left: float) -> None:
    assert faded(level, elapsed, decay) == left


def test_who_in_the_line_is_served() -> None:
    line = {UUID(int=1): Wish(["db"], 2), UUID(int=2): Wish(["db", "gpu"], 1), UUID(int=3): Wish(["gpu"], 1)}
    assert find_served(line, {"db": Limit(2, 0), "gpu": Limit(1, 0)}) == [UUID(int=1), UUID(int=3)]
    assert find_served(line, {"db": Limit(2, 1), "gpu": Limit(1, 0)}) == [UUID(int=3)]
    assert find_served(line, {"db": Limit(3, 0), "gpu": Limit(1, 0)}) == [UUID(int=1), UUID(int=2)]
    assert find_served(line, {}) == [*line]
