"""What the coverage phase reads in `make test`: the description of the API, with each large component in one place."""

import copy
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

LARGE = re.compile(r"#/components/schemas/\w*(Filter|Trigger|DoNothing)\b")
"""Large components that the same code reads wherever they stand: what selects, and what automations do and when."""


def thinned(document: Any) -> Any:
    """A copy in which one operation takes each large component, and the others that do leave it out.

    The coverage phase tries each field of each body, with every wrong type. Some twenty operations select by the same
    seven filters, so of seventy thousand requests sixty thousand would differ from another by their path alone.
    """
    document = copy.deepcopy(document)
    places: dict[str, list[tuple[dict[str, Any], str]]] = defaultdict(list)
    for body in _own_bodies(document):
        for name, value in body.get("properties", {}).items():
            if LARGE.search(text := json.dumps(value)):
                places[text].append((body, name))
    for turn, text in enumerate(sorted(places)):
        keeper = turn % len(places[text])
        for number, (body, name) in enumerate(places[text]):
            if number == keeper:
                continue
            if name in body["required"]:
                body["properties"][name] = {"enum": [body["examples"][0][name]]}
            else:
                del body["properties"][name]
    return document


def _own_bodies(document: Any) -> Iterator[dict[str, Any]]:
    """The schema of each operation's body, which no other operation has any more."""
    for methods in document["paths"].values():
        for operation in methods.values():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content:
                name = content["schema"].get("$ref", "").rpartition("/")[2]
                content["schema"] = copy.deepcopy(document["components"]["schemas"].get(name, content["schema"]))
                yield content["schema"]
