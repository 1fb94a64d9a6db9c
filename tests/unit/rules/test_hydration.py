"""Parameters that are worked out when an automation runs a deployment."""

from typing import Any

import pytest

from headrace.base.errors import InvalidRequest
from headrace.rules.hydration import hydrate, list_templates


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        (3, 3),
        ("plain", "plain"),
        ("a {{ x }}", "<a {{ x }}>"),
        ("{% if x %}", "<{% if x %}>"),
        (["{{ x }}", {"a": "{{ y }}"}], ["<{{ x }}>", {"a": "<{{ y }}>"}]),
        ({"__prefect_kind": "jinja", "template": "plain"}, "<plain>"),
        ({"__prefect_kind": "json", "value": "[1, 2]"}, [1, 2]),
        ({"__prefect_kind": "json", "value": [1, "{{ x }}"]}, [1, "<{{ x }}>"]),
        ({"__prefect_kind": "none", "value": {"a": "{{ x }}"}}, {"a": "<{{ x }}>"}),
    ],
)
def test_templates_are_rendered_wherever_they_are(value: Any, filled: Any) -> None:
    assert hydrate(value, lambda template: f"<{template}>") == filled


def test_json_may_be_a_template() -> None:
    inner = {"__prefect_kind": "jinja", "template": "{{ x }}"}
    assert hydrate({"__prefect_kind": "json", "value": inner}, lambda _: '{"a": 1}') == {"a": 1}
    assert list_templates({"a": ["{{ x }}"], "b": {"__prefect_kind": "json", "value": inner}}) == ["{{ x }}", "{{ x }}"]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"__prefect_kind": "json", "value": "[1"}, r"'\[1' is no JSON: Expecting"),
        (
            {"__prefect_kind": "workspace_variable", "variable_name": "x"},
            "__prefect_kind 'workspace_variable' means nothing",
        ),
        ({"__prefect_kind": "jinja"}, "__prefect_kind 'jinja' means nothing"),
    ],
)
def test_what_means_nothing_is_refused(value: Any, problem: str) -> None:
    with pytest.raises(InvalidRequest, match=problem):
        hydrate(value, str)
