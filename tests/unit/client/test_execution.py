"""What the verbs of execution do beside asking."""

import itertools
from typing import Any
from uuid import UUID

import httpx2
import msgspec
import pytest

from headrace.base.errors import GatewayError
from headrace.base.ids import uuid7
from headrace.client.execution import RemoteExecution, cut
from headrace.client.transport import Transport
from headrace.schema import calls
from headrace.schema.fact import ArtifactFact, Batch, LogFact

RUN = uuid7()


def batch(*sizes: int) -> Batch:
    return Batch(uuid7(), 7, [LogFact(uuid7(), "log", 20, "x" * size, 1) for size in sizes], {RUN: 2})


@pytest.mark.parametrize(
    ("sizes", "parts"),
    [
        ([10, 10], [[10, 10]]),
        ([900, 900], [[900], [900]]),
        ([3000], [[3000]]),
        ([3000, 10, 10, 10], [[3000], [10], [10, 10]]),
    ],
)
def test_a_large_batch_travels_in_parts(sizes: list[int], parts: list[list[int]]) -> None:
    whole = batch(*sizes)
    cuts = cut(whole, 1000)
    assert [[len(fact.message) for fact in part.facts if isinstance(fact, LogFact)] for part in cuts] == parts
    assert [fact for part in cuts for fact in part.facts] == whole.facts
    assert {part.journal_id for part in cuts} == {whole.journal_id}
    assert all(part.attempts == {RUN: 2} for part in cuts)
    for before, after in itertools.pairwise(cuts):
        assert after.first == before.last + 1


class Journal:
    """Answers deliveries, and notes how they came."""

    def __init__(self) -> None:
        self.came: list[tuple[str, Batch]] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        media = request.headers["content-type"]
        packing: Any = msgspec.msgpack if media == calls.MSGPACK else msgspec.json
        given: Batch = packing.decode(request.content, type=calls.Deliver).batch
        self.came.append((media, given))
        return httpx2.Response(200, content=packing.encode(given.last))


def execution(answer: Any) -> RemoteExecution:
    return RemoteExecution(Transport("http://server.invalid/api", wire=httpx2.MockTransport(answer)))


def test_what_only_json_can_hold_travels_as_json() -> None:
    journal = Journal()
    remote = execution(journal)
    fact = ArtifactFact(uuid7(), None, "table", None, {"half": "\ud800", "huge": 2**80 + 1}, 1)
    assert remote.deliver(Batch(uuid7(), 1, [fact])) == 1
    assert remote.deliver(batch(10)) == 7
    (first, told), (second, _) = journal.came
    assert (first, second) == (calls.JSON, calls.MSGPACK)
    (artifact,) = told.facts
    assert isinstance(artifact, ArtifactFact)
    assert artifact.data["half"] == "\ufffd"


def test_an_answer_in_another_form_is_said_in_one_line() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=b"<html>")

    remote = execution(answer)
    with pytest.raises(GatewayError, match="does not read"):
        remote.read_flow_run(UUID(int=1))


def test_nobody_beats_for_a_client_without_an_interval() -> None:
    assert execution(Journal()).presence().kind == "none"
