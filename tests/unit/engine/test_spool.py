"""The spool: what is kept in it is there whole, is delivered once and in order, and nothing is thrown away."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.base import errors
from headrace.engine.spool import Spool
from headrace.gateway.execution import Execution
from headrace.schema.fact import Batch, LogFact
from headrace.schema.flow import FlowCreate
from headrace.schema.orchestration import Proposal
from headrace.schema.run import FlowRunCreate
from headrace.schema.state import StateCreate, StateType
from headrace.testing import frozen_clock
from tests.unit.engine.conftest import Stage


class Receiver:
    """Takes what is delivered. `before` may refuse it."""

    def __init__(self) -> None:
        self.taken: list[Batch | Proposal] = []
        self.before: Callable[[Any], None] = lambda entry: None

    def deliver(self, batch: Batch) -> int:
        self.before(batch)
        self.taken.append(batch)
        return batch.last

    def propose_flow_run_state(self, proposal: Proposal) -> None:
        self.before(proposal)
        self.taken.append(proposal)

    @property
    def gateway(self) -> Execution:
        return cast("Execution", self)


def batch(message: str = "a line", first: int = 1) -> Batch:
    return Batch(uuid4(), first, [LogFact(uuid4(), "test", 20, message, 3, uuid4())], {uuid4(): 2})


def proposal(flow_run_id: UUID | None = None, carried: Batch | None = None) -> Proposal:
    return Proposal(flow_run_id=flow_run_id or uuid4(), state=StateCreate(type=StateType.COMPLETED), batch=carried)


def raising(error: Exception) -> Callable[[Any], None]:
    def refuse(_entry: Any) -> None:
        raise error

    return refuse


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "spool"


@pytest.fixture
def spool(folder: Path) -> Spool:
    return Spool(folder)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


def test_an_empty_spool_delivers_nothing(spool: Spool, receiver: Receiver) -> None:
    assert spool.deliver(receiver.gateway) == 0


def test_what_is_kept_is_delivered_once_and_in_order(spool: Spool, folder: Path, receiver: Receiver) -> None:
    entries = [batch(), proposal(carried=batch()), batch(), proposal()]
    for entry in entries:
        spool.keep(entry)
    assert Spool(folder).deliver(receiver.gateway) == 4
    assert receiver.taken == entries
    assert names(folder) == []
    assert spool.deliver(receiver.gateway) == 0


@settings(max_examples=25)  # each entry is synced to disk
@given(st.lists(st.tuples(st.text(st.characters(codec=None)), st.booleans()), max_size=10), st.integers(0, 5))
def test_nothing_is_lost_when_deliveries_stop_midway(lines: list[tuple[str, bool]], stop: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        spool, receiver = Spool(Path(name)), Receiver()
        for text, proposed in lines:
            spool.keep(proposal(carried=batch(text)) if proposed else batch(text))

        def stop_midway(_entry: object) -> None:
            if len(receiver.taken) == stop:
                raise errors.Unavailable("away")

        receiver.before = stop_midway
        delivered = spool.deliver(receiver.gateway)
        receiver.before = lambda entry: None
        assert delivered + spool.deliver(receiver.gateway) == len(lines)
        messages = list[str]()
        for entry in receiver.taken:
            carried = entry.batch if isinstance(entry, Proposal) else entry
            assert carried is not None
            (fact,) = carried.facts
            assert isinstance(fact, LogFact)
            messages.append(fact.message)
        assert messages == [text.encode(errors="replace").decode() for text, _ in lines]


def test_the_order_is_kept_when_the_clock_stands_still_or_steps_back(spool: Spool, receiver: Receiver) -> None:
    entries = [batch() for _ in range(4)]
    with frozen_clock() as clock:
        spool.keep(entries[0])
        spool.keep(entries[1])
        clock.advance(-60)
        spool.keep(entries[2])
        clock.advance(120)
        spool.keep(entries[3])
    spool.deliver(receiver.gateway)
    assert receiver.taken == entries


def test_only_the_owner_may_read_what_is_kept(spool: Spool, folder: Path) -> None:
    spool.keep(batch())
    (path,) = folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_half_a_surrogate_pair_is_replaced_and_the_rest_kept(spool: Spool, receiver: Receiver) -> None:
    given_batch = batch("caf\udce9 \N{FISH}")
    spool.keep(proposal(carried=given_batch))
    spool.deliver(receiver.gateway)
    (taken,) = receiver.taken
    assert isinstance(taken, Proposal)
    assert taken.batch is not None
    (mended,), (before,) = taken.batch.facts, given_batch.facts
    assert isinstance(before, LogFact)
    assert mended == msgspec.structs.replace(before, message="caf? \N{FISH}")
    assert taken.batch.attempts == given_batch.attempts


def test_an_entry_that_cannot_be_written_leaves_nothing_behind(spool: Spool, folder: Path, receiver: Receiver) -> None:
    impossible = proposal()
    impossible.state.data = object()
    with pytest.raises(TypeError):
        spool.keep(impossible)
    assert names(folder) == []


def test_a_folder_that_cannot_be_made_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        Spool(tmp_path / "file" / "spool").keep(batch())


def test_an_outage_leaves_everything_where_it_is(
    spool: Spool, folder: Path, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    spool.keep(batch())
    spool.keep(batch())
    kept = names(folder)
    receiver.before = raising(errors.Unavailable("nobody answers"))
    assert spool.deliver(receiver.gateway) == 0
    assert names(folder) == kept
    assert caplog.messages == [f"What is kept in the spool {folder} stays there for now: nobody answers"]


def test_an_entry_that_is_refused_is_kept_aside_and_the_others_are_delivered(
    spool: Spool, folder: Path, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    refused, taken = batch(first=7), batch()
    spool.keep(refused)
    spool.keep(taken)

    def refuse(entry: Any) -> None:
        if entry == refused:
            raise errors.InvalidRequest("a gap")

    receiver.before = refuse
    assert spool.deliver(receiver.gateway) == 1
    assert receiver.taken == [taken]
    (name,) = names(folder)
    assert name.endswith(".batch.refused")
    assert msgspec.msgpack.decode((folder / name).read_bytes(), type=Batch) == refused
    assert caplog.messages == [f"An entry of the spool is refused and left in {folder / name}: a gap"]
    assert spool.deliver(receiver.gateway) == 0


@pytest.mark.parametrize("rest", [b"", b"\x93", b"\xc1"], ids=["empty", "truncated", "no entry"])
def test_a_damaged_entry_is_kept_aside(spool: Spool, folder: Path, receiver: Receiver, rest: bytes) -> None:
    spool.keep(proposal())
    (path,) = folder.iterdir()
    path.write_bytes(rest)
    spool.keep(batch())
    assert spool.deliver(receiver.gateway) == 1
    assert names(folder) == [f"{path.name}.refused"]


def test_what_another_process_has_delivered_meanwhile_is_passed_over(
    spool: Spool, folder: Path, receiver: Receiver
) -> None:
    for _ in range(3):
        spool.keep(batch())
    first, second, third = sorted(folder.iterdir())

    def deliver_elsewhere(_entry: Any) -> None:
        second.unlink(missing_ok=True)
        first.unlink(missing_ok=True)

    receiver.before = deliver_elsewhere
    assert spool.deliver(receiver.gateway) == 2
    assert not third.exists()


def test_what_another_process_has_put_aside_meanwhile_is_refused_here_as_well(
    spool: Spool, folder: Path, receiver: Receiver
) -> None:
    spool.keep(batch())
    (path,) = folder.iterdir()

    def refuse(_entry: Any) -> None:
        path.rename(path.with_name(f"{path.name}.refused"))
        raise errors.InvalidRequest("a gap")

    receiver.before = refuse
    assert spool.deliver(receiver.gateway) == 0
    assert names(folder) == [f"{path.name}.refused"]


def test_what_is_half_written_is_not_delivered(spool: Spool, folder: Path, receiver: Receiver) -> None:
    folder.mkdir(parents=True)
    (folder / ".00000000000000001-1-0.batch").write_bytes(b"half")
    assert spool.deliver(receiver.gateway) == 0
    assert names(folder) == [".00000000000000001-1-0.batch"]


def test_the_orchestrator_takes_what_was_kept(stage: Stage, spool: Spool) -> None:
    gateway = stage.session.gateway
    flow = gateway.register_flow(FlowCreate(name="spooled"))
    run = gateway.create_flow_run(FlowRunCreate(flow_id=flow.id))
    spool.keep(proposal(run.id, batch("the last line")))
    assert spool.deliver(gateway) == 1
    assert gateway.read_flow_run(run.id).state_type is StateType.COMPLETED


def test_what_follows_facts_that_were_lost_is_delivered_all_the_same(
    stage: Stage, spool: Spool, receiver: Receiver
) -> None:
    """The database was put back, or deleted, while a script ran."""
    orphan = batch("kept", first=7)
    spool.keep(orphan)
    assert spool.deliver(stage.session.gateway) == 1
    assert stage.recorder.messages() == ["kept"]

    spool.keep(orphan)
    spool.keep(proposal(carried=orphan))
    lost = [errors.LostFacts("a gap"), None, errors.LostFacts("a gap"), None]

    def refuse(_entry: Any) -> None:
        error = lost.pop(0)
        if error is not None:
            raise error

    receiver.before = refuse
    assert spool.deliver(receiver.gateway) == 2
    alone, carried = receiver.taken
    assert isinstance(alone, Batch)
    assert isinstance(carried, Proposal)
    assert carried.batch == alone
    assert (alone.first, alone.facts) == (1, orphan.facts)


def test_an_entry_that_nobody_can_record_is_kept_aside(spool: Spool, folder: Path, receiver: Receiver) -> None:
    spool.keep(batch())
    receiver.before = raising(OverflowError("too large"))
    assert spool.deliver(receiver.gateway) == 0
    assert [path.suffix for path in folder.iterdir()] == [".refused"]
