"""What clients of the contract send all the same: read leniently, and refused with 422 where it can mean nothing."""

import json
from typing import Any
from uuid import UUID

import httpx2
import pytest

from headrace.base.errors import InvalidRequest
from headrace.schema.run import TaskRunCreate
from headrace.server.decoding import DEEPEST, mend, read_json

SURROGATE = chr(0xD800)


@pytest.fixture
def flow_id(ask: httpx2.Client) -> str:
    return ask.post("/api/flows/", json={"name": "f"}).json()["id"]


def create(ask: httpx2.Client, flow_id: str, text: str) -> httpx2.Response:
    """Create a flow run with more of a body, and without a content type."""
    return ask.post("/api/flow_runs/", content=f'{{"flow_id": "{flow_id}", {text}}}'.encode())


def test_a_missing_content_type_means_json(ask: httpx2.Client, flow_id: str) -> None:
    answer = create(ask, flow_id, '"name": "bare"')
    assert (answer.status_code, answer.json()["name"]) == (201, "bare")


def test_a_wrong_content_type_means_json(ask: httpx2.Client) -> None:
    answer = ask.post("/api/flows/count", content=b"{}", headers={"Content-Type": "text/plain"})
    assert answer.json() == 0


def test_no_body_is_one_without_fields(ask: httpx2.Client) -> None:
    assert ask.post("/api/flow_runs/filter").json() == []
    assert ask.post("/api/flows/").status_code == 422


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("NaN", None),
        ("Infinity", None),
        ("-Infinity", None),
        ("1e999", None),
        ('"\\ud800x"', "\ufffdx"),
        (str(2**70), str(2**70)),
        ("[1, [2.5, null]]", [1, [2.5, None]]),
    ],
)
def test_parameters_may_hold_what_json_cannot(ask: httpx2.Client, flow_id: str, sent: str, kept: Any) -> None:
    answer = create(ask, flow_id, f'"parameters": {{"p": {sent}}}')
    assert answer.status_code == 201
    assert str(answer.json()["parameters"]["p"]) == str(kept)


@pytest.mark.parametrize("number", ['"3"', "3.0", "3"])
def test_a_whole_number_may_come_in_other_clothes(ask: httpx2.Client, flow_id: str, number: str) -> None:
    answer = create(ask, flow_id, f'"empirical_policy": {{"retries": {number}}}')
    assert answer.json()["empirical_policy"]["retries"] == 3
    assert create(ask, flow_id, '"empirical_policy": {"retries": 3.5}').status_code == 422


@pytest.mark.parametrize(
    "time", ["2026-11-22 20:54:44.145058+00:00", "2026-11-22T20:54:44.145058Z", "2026-11-22T21:54:44.145058+01:00"]
)
def test_a_space_may_stand_for_the_t_of_a_time(ask: httpx2.Client, flow_id: str, time: str) -> None:
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": time}}
    answer = ask.post("/api/flow_runs/", json={"flow_id": flow_id, "state": state})
    assert answer.json()["expected_start_time"] == "2026-11-22T20:54:44.145058Z"


def test_durations_are_numbers_of_seconds(ask: httpx2.Client, flow_id: str) -> None:
    body = {
        "history_start": "2026-11-01 00:00:00+00:00",
        "history_end": "2026-11-02 00:00:00+00:00",
        "history_interval_seconds": "3600",
    }
    assert len(ask.post("/api/flow_runs/history", json=body).json()) == 24
    assert create(ask, flow_id, '"name": "x"').json()["total_run_time"] == 0.0


def test_inputs_need_not_say_what_they_are(ask: httpx2.Client) -> None:
    some_id = "01a20954-8ba8-700e-86c6-ca50be5788ee"
    inputs = {
        "a": [{"id": some_id}],
        "b": [{"name": "p"}, {"type": "int"}],
        "c": [{"input_type": "flow_run", "id": some_id}],
    }
    body = {"task_key": "t", "dynamic_key": "0", "task_inputs": inputs}
    kept = ask.post("/api/task_runs/", json=body).json()["task_inputs"]
    assert [entry["input_type"] for key in "abc" for entry in kept[key]] == [
        "task_run",
        "parameter",
        "constant",
        "flow_run",
    ]


@pytest.mark.parametrize("inputs", [None, [], {"a": None}, {"a": [3]}, {"a": [{"other": 1}]}])
def test_inputs_that_mean_nothing_are_refused(ask: httpx2.Client, inputs: Any) -> None:
    body = {"task_key": "t", "dynamic_key": "0", "task_inputs": inputs}
    assert ask.post("/api/task_runs/", json=body).status_code == 422


@pytest.mark.parametrize(
    "content", [b"{", b"[", b"}", b'{"name": }', b"\xff\xfe", b"nonsense", b'{"name": "a", "name"', b"[" * 100_000]
)
def test_what_is_no_json_is_refused(ask: httpx2.Client, content: bytes) -> None:
    answer = ask.post("/api/flows/", content=content)
    assert answer.status_code == 422
    assert answer.json()["exception_detail"][0]["loc"] == ["body"]


def test_what_is_nested_too_deeply_is_refused() -> None:
    def nested(depth: int) -> bytes:
        return b"[" * depth + b"1" + b"]" * depth

    assert read_json(nested(DEEPEST))
    with pytest.raises(InvalidRequest, match="nested too deeply"):
        read_json(nested(DEEPEST + 1))
    with pytest.raises(InvalidRequest, match="nested too deeply"):
        read_json(b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1))


def test_much_that_is_not_deep_is_read() -> None:
    assert len(read_json(json.dumps([[]] * 1000).encode())) == 1000


def test_a_body_that_is_too_large_is_refused(ask: httpx2.Client) -> None:
    answer = ask.post("/api/flows/", content=b'{"name": "' + b"x" * (17 * 1024 * 1024) + b'"}')
    assert answer.status_code == 413


def test_only_known_shapes_are_mended() -> None:
    entry: dict[str, Any] = {"id": str(UUID(int=1))}
    assert mend({"task_inputs": {"a": [entry]}}, dict)["task_inputs"]["a"] == [{"id": str(UUID(int=1))}]
    assert mend([1], TaskRunCreate) == [1]
    assert mend({"task_inputs": 3}, TaskRunCreate) == {"task_inputs": 3}


def test_a_byte_order_mark_is_no_part_of_json() -> None:
    assert read_json(b"\xef\xbb\xbf{}") == {}


def test_half_a_character_is_replaced_in_keys_too() -> None:
    assert read_json(b'{"\\ud800": ["\\udfff"]}') == {"\ufffd": ["\ufffd"]}
    assert SURROGATE not in json.dumps(read_json(b'"\\ud83d\\ude00"'), ensure_ascii=False)
