import json
from collections import Counter
from typing import Any

from headrace.server.openapi import FILE
from tests.fuzz.documents import LARGE, thinned


def test_a_large_component_is_left_to_one_of_the_operations_that_take_it() -> None:
    whole = json.loads(FILE.read_bytes())
    before, after = taken(whole), taken(thinned(whole))
    assert before.keys() == after.keys()
    assert before.most_common(1)[0][1] > 20
    assert {*after.values()} == {1}


def test_every_operation_keeps_its_body() -> None:
    whole = json.loads(FILE.read_bytes())
    thin = thinned(whole)
    assert thin["components"] == whole["components"]
    assert thin["paths"].keys() == whole["paths"].keys()
    example = body(thin, thin["paths"]["/api/automations/"]["post"])
    assert {"name", "trigger", "actions"} <= example["properties"].keys()


def taken(document: Any) -> Counter[str]:
    """In how many bodies' properties each large component stands."""
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    values = [value for operation in operations for value in body(document, operation).get("properties", {}).values()]
    return Counter(text for text in map(json.dumps, values) if LARGE.search(text))


def body(document: Any, operation: Any) -> Any:
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
