"""What holds of lines before limits, whoever comes, asks, gives back and leaves, in whatever order."""

from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from headrace.rules.slots import Limit, Wish, decide_slots, find_served

NAMES = ("db", "gpu", "api")
names = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)
wishes = st.builds(Wish, names.map(tuple), st.integers(1, 3))
limits = st.fixed_dictionaries(
    {}, optional={name: st.builds(Limit, st.integers(0, 4), st.integers(0, 4)) for name in NAMES}
)


def as_line(waiting: list[Wish]) -> dict[UUID, Wish]:
    return {UUID(int=number): wish for number, wish in enumerate(waiting)}


@given(waiting=st.lists(wishes, max_size=12), limits=limits)
def test_all_who_are_served_at_once_fit_together(waiting: list[Wish], limits: dict[str, Limit]) -> None:
    line = as_line(waiting)
    for name, limit in limits.items():
        wanted = [line[each].occupy for each in find_served(line, limits) if name in line[each].names]
        assert not wanted or sum(wanted) <= limit.slots - limit.used


@given(waiting=st.lists(wishes, min_size=1, max_size=12), limits=limits)
def test_who_is_called_is_granted_slots_when_it_asks_and_nobody_else_is(
    waiting: list[Wish], limits: dict[str, Limit]
) -> None:
    called = find_served(as_line(waiting), limits)
    for number, wish in enumerate(waiting):
        place = decide_slots(wish, limits, waiting[:number])
        assert (place is None) is (UUID(int=number) in called)


@given(waiting=st.lists(wishes, min_size=2, max_size=12), limits=limits)
def test_nobody_is_overtaken_by_who_wants_the_same(waiting: list[Wish], limits: dict[str, Limit]) -> None:
    called = find_served(as_line(waiting), limits)
    for later, wish in enumerate(waiting):
        earlier = [number for number in range(later) if waiting[number] == wish]
        if UUID(int=later) in called and any(name in limits for name in wish.names):
            assert all(UUID(int=number) in called for number in earlier)


@given(waiting=st.lists(wishes, max_size=12), limits=limits)
def test_whoever_is_first_and_fits_is_served(waiting: list[Wish], limits: dict[str, Limit]) -> None:
    if waiting:
        room = [limits[name].slots - limits[name].used for name in waiting[0].names if name in limits]
        fits = all(waiting[0].occupy <= free for free in room)
        assert fits is (UUID(int=0) in find_served(as_line(waiting), limits))


class Counter(RuleBasedStateMachine):
    """A limit that people come to, wait for, hold and give back: never more than it has, and everybody's turn comes."""

    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self.line: dict[UUID, Wish] = {}
        self.held: dict[UUID, Wish] = {}
        self.slots = {"db": 3, "gpu": 1}
        self.come = 0

    def limits(self) -> dict[str, Limit]:
        used = {name: sum(wish.occupy for wish in self.held.values() if name in wish.names) for name in self.slots}
        return {name: Limit(slots, used[name]) for name, slots in self.slots.items()}

    def ask(self, request: UUID) -> None:
        wish = self.line[request]
        ahead = [each for other, each in self.line.items() if other.int < request.int]
        if decide_slots(wish, self.limits(), ahead) is None:
            self.held[request] = self.line.pop(request)

    @rule(target=requests, names=st.sampled_from([("db",), ("gpu",), ("db", "gpu")]), occupy=st.integers(1, 3))
    def arrive(self, names: tuple[str, ...], occupy: int) -> UUID:
        self.come += 1
        request = UUID(int=self.come)
        self.line[request] = Wish(names, min(occupy, *(self.slots[name] for name in names)))
        self.ask(request)
        return request

    @rule(request=requests)
    def ask_again(self, request: UUID) -> None:
        if request in self.line:
            self.ask(request)

    @rule(request=consumes(requests))
    def give_back_or_leave(self, request: UUID) -> None:
        self.held.pop(request, None)
        self.line.pop(request, None)
        for number, called in enumerate(find_served(self.line, self.limits())):
            self.ask(called)
            # What one takes may have whoever is before the next wait for more than before, so that the next waits too.
            assert number or called in self.held

    @invariant()
    def never_more_than_the_limit(self) -> None:
        assert all(limit.used <= limit.slots for limit in self.limits().values())

    @invariant()
    def nobody_waits_for_what_is_free(self) -> None:
        assert find_served(self.line, self.limits()) == []

    def teardown(self) -> None:
        for _ in range(len(self.line) + len(self.held) + 1):
            for request in [*self.held]:
                self.give_back_or_leave(request)
        assert not self.line, "somebody's turn has never come"


TestCounter = Counter.TestCase
TestCounter.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
