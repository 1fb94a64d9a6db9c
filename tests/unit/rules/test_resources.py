"""Which resources are meant."""

from typing import Any

import pytest

from headrace.rules.resources import has_labels, has_related, is_among, read_values

RUN = {"prefect.resource.id": "prefect.flow-run.1", "prefect.resource.role": "flow-run", "env": "prod"}
FLOW = {"prefect.resource.id": "prefect.flow.2", "prefect.resource.role": "flow", "prefect.resource.name": "etl"}


@pytest.mark.parametrize(
    ("name", "wanted", "is_wanted"),
    [
        ("a.b", [], True),
        ("a.b", ["a.b"], True),
        ("a.b", ["a"], False),
        ("a.b", ["x", "a.*"], True),
        ("a.b", ["*"], True),
        ("a.b", ["b*"], False),
    ],
)
def test_names_are_among_those_wanted(name: str, wanted: list[str], is_wanted: bool) -> None:
    assert is_among(name, wanted) is is_wanted


@pytest.mark.parametrize(
    ("wanted", "has"),
    [
        ({}, True),
        ({"env": "prod"}, True),
        ({"env": ["dev", "prod"]}, True),
        ({"env": "dev"}, False),
        ({"env": "p*", "prefect.resource.id": "prefect.flow-run.*"}, True),
        ({"env": "p*", "prefect.resource.id": "prefect.task-run.*"}, False),
        ({"env": "!prod"}, False),
        ({"env": "!dev"}, True),
        ({"env": ["!p*", "!x"]}, False),
        ({"env": ["p*", "!prod"]}, False),
        ({"missing": "*"}, False),
        ({"missing": "!x"}, False),
    ],
)
def test_labels_are_those_asked_for(wanted: dict[str, Any], has: bool) -> None:
    assert has_labels(RUN, wanted) is has


RELATED: list[tuple[Any, bool]] = [
    ({}, True),
    ([], True),
    ([{}], True),
    ({"prefect.resource.role": "flow", "prefect.resource.name": "etl"}, True),
    ({"prefect.resource.role": "flow-run", "prefect.resource.name": "etl"}, False),
    ([{"prefect.resource.role": "flow"}, {"env": "prod"}], True),
    ([{"prefect.resource.role": "flow"}, {"env": "dev"}], False),
]


@pytest.mark.parametrize(("wanted", "has"), RELATED)
def test_each_set_of_labels_is_of_one_related_resource(wanted: Any, has: bool) -> None:
    assert has_related([RUN, FLOW], wanted) is has


def test_values_are_of_the_resource_or_of_a_related_one() -> None:
    labels = ["env", "none", "related:flow:prefect.resource.name", "related:flow:none", "related:pool:env"]
    assert read_values(labels, RUN, [FLOW]) == dict(zip(labels, ["prod", None, "etl", None, None], strict=True))
