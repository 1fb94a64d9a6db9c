from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from headrace.base import ids

RUNS = st.uuids(allow_nil=False)
ORDINALS = st.integers(min_value=0, max_value=2**16 - 1)


def test_a_new_id_is_a_uuid_of_version_7() -> None:
    made = ids.uuid7()
    assert made.version == 7
    assert made.variant == RFC_4122


def test_ids_begin_with_the_millisecond() -> None:
    earlier, later = ids.uuid7(), ids.uuid7()
    assert earlier.int >> 80 <= later.int >> 80


def test_ids_differ() -> None:
    assert len({ids.uuid7() for _ in range(10_000)}) == 10_000


@given(RUNS, ORDINALS)
def test_a_state_knows_its_place_in_the_run(run: UUID, ordinal: int) -> None:
    assert ids.state_ordinal(run, ids.state_id(run, ordinal)) == ordinal


@given(RUNS, ORDINALS)
def test_the_run_of_a_state_is_within_its_range(run: UUID, ordinal: int) -> None:
    lowest, highest = ids.run_range(ids.state_id(run, ordinal))
    assert lowest <= run <= highest
    assert highest.int - lowest.int == 2**16 - 1


@given(RUNS, ORDINALS, ORDINALS)
def test_states_of_a_run_have_ids_of_their_own(run: UUID, one: int, other: int) -> None:
    assert (ids.state_id(run, one) == ids.state_id(run, other)) == (one == other)


@given(RUNS, ORDINALS)
def test_a_state_keeps_what_its_run_is(run: UUID, ordinal: int) -> None:
    """The time in front, the version and the variant stay: only the low 16 bits count."""
    assert ids.state_id(run, ordinal).int >> 16 == run.int >> 16


def test_the_default_workspace_never_changes() -> None:
    assert str(ids.DEFAULT_WORKSPACE) == "00000000-0000-7000-8000-000000000001"
