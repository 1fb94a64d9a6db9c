"""What follows from a block's schema."""

from typing import Any
from uuid import UUID

import pytest

from headrace.rules.blocks import MASK, checksum_of, find_reference, list_references, mask, secret_fields_of, unmask

ID = UUID("018f4e9a-0000-7000-8000-000000000001")

TOKEN: dict[str, Any] = {
    "block_schema_references": {},
    "block_type_slug": "inner-thing",
    "properties": {
        "token": {"format": "password", "title": "Token", "type": "string", "writeOnly": True, "position": 0},
        "note": {"default": "x", "title": "Note", "type": "string", "position": 1},
    },
    "required": ["token"],
    "secret_fields": ["token"],
    "title": "Inner",
    "type": "object",
}
"""A schema as the contract's own client says it."""

OF_TOKEN = "sha256:c9a839d331766544a2ac0291fa62e72f17fa1e51476359a0e98c182711e4b2a6"


def test_a_checksum_is_the_contracts() -> None:
    assert checksum_of(TOKEN) == OF_TOKEN
    assert checksum_of(dict(reversed(TOKEN.items()))) == OF_TOKEN
    assert checksum_of({**TOKEN, "title": "Other"}) != OF_TOKEN


def test_secrets_and_other_blocks_do_not_enter_into_a_checksum() -> None:
    assert checksum_of({**TOKEN, "secret_fields": []}) == OF_TOKEN
    assert checksum_of({**TOKEN, "definitions": {"Inner": TOKEN, "Anything": {}}}) == OF_TOKEN
    assert checksum_of({**TOKEN, "definitions": None}) == OF_TOKEN
    assert checksum_of({**TOKEN, "definitions": {"Plain": {"type": "object"}}}) != OF_TOKEN


@pytest.mark.parametrize(
    ("way", "data", "masked"),
    [
        ("a", {"a": "x", "b": 1}, {"a": MASK, "b": 1}),
        ("a", {"a": ["x", "y"]}, {"a": MASK}),
        ("a", {"a": None}, {"a": None}),
        ("a", {"b": 1}, {"b": 1}),
        ("a.b", {"a": {"b": "x", "c": 1}}, {"a": {"b": MASK, "c": 1}}),
        ("a.b", {"a": "text"}, {"a": "text"}),
        ("a.b", {"a": [{"b": 1}, {"c": 2}]}, {"a": [{"b": MASK}, {"c": 2}]}),
        ("a.*", {"a": {"b": 1, "c": {"d": [2, None]}}}, {"a": {"b": MASK, "c": {"d": [MASK, None]}}}),
        ("a.*", {"a": "x"}, {"a": MASK}),
        ("a", {"a": {"$ref": {"block_document_id": str(ID)}}}, {"a": {"$ref": {"block_document_id": str(ID)}}}),
    ],
)
def test_a_secret_is_masked(way: str, data: dict[str, Any], masked: dict[str, Any]) -> None:
    before = repr(data)
    assert mask(data, [way]) == masked
    assert repr(data) == before


def test_what_is_masked_stays_as_it_was() -> None:
    former = {"a": "one", "b": {"c": ["two", "three"]}, "d": ["x"], "e": "free"}
    secret = ["a", "b.*", "d"]
    assert unmask(mask(former, secret), former, secret) == former
    assert unmask({"a": "new", "e": MASK}, former, secret) == {"a": "new", "e": MASK}
    assert unmask({"b": {"c": [MASK, "4", MASK]}}, former, secret) == {"b": {"c": ["two", "4", None]}}


def test_only_a_reference_is_one() -> None:
    for told in (str(ID), {"block_document_id": str(ID)}):
        assert find_reference({"$ref": told}) == ID
    others: list[Any] = [{"$ref": "no id"}, {"$ref": {}}, {"$ref": str(ID), "a": 1}, {"$ref": 3}, "text", None, {}]
    assert [find_reference(other) for other in others] == [None] * len(others)
    assert [*list_references({"a": 1, "b": {"$ref": str(ID)}, "c": [{"$ref": str(ID)}]})] == [("b", ID)]


def test_secret_parts_are_named_by_texts() -> None:
    assert secret_fields_of({"secret_fields": ["a", 3, "b.c"]}) == ["a", "b.c"]
    assert secret_fields_of({}) == secret_fields_of({"secret_fields": "a"}) == []
