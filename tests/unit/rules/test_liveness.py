import uuid

from headrace.rules.liveness import Pulse, Watch

A, B = uuid.UUID(int=1), uuid.UUID(int=2)


def test_a_pulse_that_stands_still_for_more_than_three_intervals_is_dead() -> None:
    watch = Watch[uuid.UUID](gap=60)
    assert watch.look([Pulse(A, 7, 10)], now=0) == []
    assert watch.look([Pulse(A, 7, 10)], now=30) == []
    assert watch.look([Pulse(A, 7, 10)], now=31) == [A]


def test_a_pulse_that_moves_lives() -> None:
    watch = Watch[uuid.UUID](gap=60)
    for second in range(0, 300, 20):
        assert watch.look([Pulse(A, second, 10), Pulse(B, second // 40, 10)], now=second) == []


def test_a_counter_that_goes_back_moves_too() -> None:
    watch = Watch[uuid.UUID](gap=60)
    watch.look([Pulse(A, 7, 10)], now=0)
    assert watch.look([Pulse(A, 1, 10)], now=31) == []


def test_each_pulse_has_its_own_interval() -> None:
    watch = Watch[uuid.UUID](gap=60)
    watch.look([Pulse(A, 1, 1), Pulse(B, 1, 100)], now=0)
    assert watch.look([Pulse(A, 1, 1), Pulse(B, 1, 100)], now=4) == [A]


def test_what_was_not_watched_kills_nobody() -> None:
    watch = Watch[uuid.UUID](gap=60)
    watch.look([Pulse(A, 1, 10)], now=0)
    assert watch.look([Pulse(A, 1, 10)], now=61) == []
    assert watch.look([Pulse(A, 1, 10)], now=91) == []
    assert watch.look([Pulse(A, 1, 10)], now=92) == [A]


def test_a_watch_that_could_not_see_begins_anew() -> None:
    watch = Watch[uuid.UUID](gap=60)
    watch.look([Pulse(A, 1, 10)], now=0)
    watch.forget()
    assert watch.look([Pulse(A, 1, 10)], now=40) == []
    assert watch.look([Pulse(A, 1, 10)], now=71) == [A]


def test_a_pulse_seen_for_the_first_time_has_its_full_time() -> None:
    watch = Watch[uuid.UUID](gap=60)
    watch.look([], now=0)
    watch.look([Pulse(A, 1, 10)], now=40)
    assert watch.look([Pulse(A, 1, 10)], now=70) == []


def test_a_pulse_that_went_away_is_forgotten() -> None:
    watch = Watch[uuid.UUID](gap=60)
    watch.look([Pulse(A, 1, 10)], now=0)
    watch.look([], now=20)
    assert watch.look([Pulse(A, 1, 10)], now=40) == []
