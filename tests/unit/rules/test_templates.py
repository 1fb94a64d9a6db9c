"""Templates say what they are given, nothing else, and no more than they may."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from headrace.rules import sandbox, work
from headrace.rules.cloud_events import from_cloud_event
from headrace.rules.templates import LONGEST, TemplateError, check, render
from headrace.schema.event import Cursor
from headrace.schema.state import StateType

GIVEN: dict[str, Any] = {
    "name": "daily",
    "none": None,
    "number": 7,
    "flow_run": {"name": "red-fox", "tags": ["a", "b"], "parameters": {"keys": 3, "x": 1.5}, "items": "own"},
    "event": {"resource": {"prefect.resource.id": "prefect.flow-run.1"}},
    "people": [{"name": "Ann", "age": 41}, {"name": "Bob", "age": 7}],
    "start": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    "took": timedelta(seconds=90),
    "state": StateType.FAILED,
    "big": ["x" * 1000] * 400,
    "numbers": [*range(1000)],
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain\n", "plain\n"),
        ("Flow {{ flow_run.name }} is {{ state|lower }}", "Flow red-fox is failed"),
        ("{{ event.resource['prefect.resource.id'] }}", "prefect.flow-run.1"),
        ("{{ flow_run.parameters.keys }}{{ flow_run['items'] }}{{ flow_run.items }}", "3ownown"),
        ("{{ flow_run.parameters.values()|list }}", "[3, 1.5]"),
        ("{{ flow_run.missing.deeper['still'] }}!{{ nobody }}", "!"),
        ("{{ none }}|{{ number }}|{{ number > 3 }}|{{ number / 2 }}|{{ 2 ** 10 }}", "None|7|True|3.5|1024"),
        ("{% for tag in flow_run.tags %}{{ loop.index }}{{ tag }}{{ ',' if not loop.last }}{% endfor %}", "1a,2b"),
        ("{% for n in nobody %}x{% else %}nobody{% endfor %}", "nobody"),
        ("{% for c in 'ab' %}{{ c }}.{% endfor %}{% for k, v in {'a': 1}.items() %}{{ k }}{{ v }}{% endfor %}", "a.b.a1"),
        ("{% for i in range(3) %}{{ i }}{% endfor %}", "012"),
        ("{% for k in flow_run.parameters %}{{ k }} {% endfor %}", "keys x "),
        ("{% if 'a' in flow_run.tags %}yes{% else %}no{% endif %}", "yes"),
        ("{% set x = namespace(n=0) %}{% for p in people %}{% set x.n = x.n + p.age %}{% endfor %}{{ x.n }}", "48"),
        ("{% set both %}{{ name }}!{% endset %}{{ both }}{{ both }}", "daily!daily!"),
        ("{% filter upper %}{{ name }}{% endfilter %}{# a remark #}{% raw %}{{ x }}{% endraw %}", "DAILY{{ x }}"),
        ("{{ people|map(attribute='name')|join(', ') }}", "Ann, Bob"),
        ("{{ people|join('+', attribute='age') }} {{ people|sum('age') }} {{ [1, 2]|sum }}", "41+7 48 3"),
        ("{% for each in people|groupby('name') %}{{ each.grouper }}{{ each.list|length }}{% endfor %}", "Ann1Bob1"),
        ("{{ people|selectattr('age', 'gt', 10)|map(attribute='name')|first }}", "Ann"),
        ("{{ name|replace('d', 'D')|truncate(3, True, '', 0) }} {{ name.upper() }} {{ name[1:3] }}", "Dai DAILY ai"),
        ("{{ 'it: ' ~ number ~ name }} {{ 'ab' * 2 }} {{ 2 * [1] }}", "it: 7daily abab [1, 1]"),
        ("{{ [1] + [2] }} {{ 'a' + 'b' }}", "[1, 2] ab"),
        ("{{ start }} {{ start.year }} {{ start.strftime('%d.%m.') }}", "2026-01-02 03:04:05+00:00 2026 02.01."),
        ("{{ took }} {{ took.total_seconds() }}", "0:01:30 90.0"),
        ("{{ '%.2f of %5s%%'|format(number, name) }} {{ '<&>'|escape }}", "7.00 of daily% &lt;&amp;&gt;"),
        ("{{ flow_run.tags|tojson }} {{ {'a': 1}|tojson(indent=1) }} {{ nobody|tojson }}", '["a","b"] {\n "a": 1\n} null'),
        ("{{ ('{\"a\": [1]}'|fromjson).a[0] }} {{ (1, 2) }} {{ none or 'nothing' }}", "1 (1, 2) nothing"),
        ("{{ 7 % 4 }} {{ '3'|int + 1 }} {{ nobody|default('none') }} {{ 1.5|round|int }}", "3 4 none 2"),
        ("{% for i in range(3) %}{{ loop.cycle('a', 'b') }}{% endfor %}", "aba"),
    ],
)  # fmt: skip
def test_a_template_says_what_it_is_given(template: str, text: str) -> None:
    assert check(template) is None
    assert render(template, GIVEN) == text


def test_wire_types_are_given_as_they_are_written() -> None:
    assert render("{{ cursor[1] }} {{ day.year }}", {"cursor": Cursor(1, 2), "day": date(2026, 1, 1)}) == "2 2026"
    with pytest.raises(TypeError):
        render("{{ x }}", {"x": object()})


def test_json_is_written_so_that_no_value_breaks_out_of_it() -> None:
    template = '{"a": "x {{ text }}", "n": {{ number }}, "l": {{ list }}, "o": {{ text|tojson }}, "t": {{ yes }}}'
    template = template[:-1] + ', "z": {{ none }}}'
    given = {"text": '", "evil": "\n', "number": 3, "list": ["é"], "yes": True, "none": None}
    assert render(template, given, as_json=True) == (
        '{"a": "x \\", \\"evil\\": \\"\\n", "n": 3, "l": ["é"], "o": "\\", \\"evil\\": \\"\\n", "t": true, "z": null}'
    )


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{{ x", "Line 1 of the template: unexpected end of template, expected 'end of print statement'."),
        ("\n{% if %}", "Line 2 of the template: Expected an expression, got 'end of statement block'."),
        ("a\n\n{{ x|nothing }}", "Line 3 of the template: No filter named 'nothing'."),
        ("{{ x is nothing }}", "Line 1 of the template: No test named 'nothing'."),
        ("{% macro f() %}{% endmacro %}", "Line 1 of the template: there is no macro in templates."),
        ("\n{% include 'x' %}", "Line 2 of the template: there is no include in templates."),
        ("{% import 'x' as x %}", "Line 1 of the template: there is no import in templates."),
        ("{% from 'x' import x %}", "Line 1 of the template: there is no from in templates."),
        ("{% extends 'x' %}", "Line 1 of the template: there is no extends in templates."),
        ("{% block b %}{% endblock %}", "Line 1 of the template: there is no block in templates."),
        ("{% call f() %}{% endcall %}", "Line 1 of the template: there is no call in templates."),
        (
            "{% for x in y recursive %}{% endfor %}",
            "Line 1 of the template: there are no recursive loops in templates.",
        ),
        ("{{ " + "(" * 5000 + ")" * 5000 + " }}", "The template: it is nested too deeply."),
        ("x" * (LONGEST + 1), f"A template has at most {LONGEST} signs; this one has {LONGEST + 1}."),
    ],
)
def test_what_is_no_template_is_said_in_one_line(template: str, problem: str) -> None:
    assert check(template) == problem
    with pytest.raises(TemplateError) as told:
        render(template, {})
    assert str(told.value) == problem


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''['__class__'] }}",
        "{{ x.__init__.__globals__ }}",
        "{{ people.append(1) }}",
        "{{ flow_run.pop('name') }}",
        "{{ '%s'.format }}",
        "{{ 'a'.join(['b']) }}",
        "{{ range.__self__ }}",
        "{{ loop }}",
        "{{ people|map(attribute='__class__')|list }}",
        "{{ people|attr('__class__') }}",
        "{% for each in people|groupby('__class__') %}{{ each.grouper }}{% endfor %}",
        "{{ people|sum('__class__') }}{{ people|join(attribute='__class__') }}{{ people|sort(attribute='__class__') }}",
        "{{ lipsum.__globals__ }}{{ cycler.__init__ }}{{ joiner }}",
        "{% set ns = namespace() %}{{ ns.__class__ }}{{ ns._Namespace__attrs }}",
        "{{ start.__reduce__() }}{{ start.tzinfo }}",
        "{{ self }}{{ context }}{{ environment }}",
    ],
)
def test_nothing_of_python_is_reached(template: str) -> None:
    try:
        text = render(template, GIVEN)
    except TemplateError as error:
        text = str(error)
    assert "class" not in text.replace("'__class__'", "")
    assert "<" not in text


BOMBS = [
    "{% for i in range(100000) %}x{% endfor %}",
    "{% for i in range(10**9) %}x{% endfor %}",
    "{% for i in range(1000) %}{% for j in range(1000) %}{% endfor %}{% endfor %}",
    "{% for i in numbers %}" + "x" * 1000 + "{% endfor %}",
    "{% for i in numbers %}{% if i >= 0 %}" + "x" * 1000 + "{% endif %}{% endfor %}",
    "{{ 'x' * 10**9 }}",
    "{{ 10**9 * 'x' }}",
    "{{ [0] * 10**9 }}",
    "{{ 10 ** 1000000000 }}",
    "{% set x = 'xxxxxxxxxx' %}" + "{% set x = x ~ x %}" * 40 + "{{ x|length }}",
    "{% set x = 'xxxxxxxxxx' %}" + "{% set x = x + x %}" * 40 + "{{ x|length }}",
    "{% set x = [1] %}" + "{% set x = [x, x] %}" * 40 + "{{ x|length }}",
    "{% set x = [1] %}" + "{% set x = (x, x) %}" * 40 + "{{ x|length }}",
    "{% set x = {} %}" + "{% set x = {'a': x, 'b': x} %}" * 40 + "{{ x|length }}",
    "{% set x = 12345678901234567890 %}" + "{% set x = x * x %}" * 40 + "{{ x }}",
    "{% set x = 'xxxxxxxxxx' %}" + "{% set x %}{{ x }}{{ x }}{% endset %}" * 40 + "{{ x|length }}",
    "{% set x = 'x' %}" + "{% set x = x|replace('x', 'xxxxxxxxxx') %}" * 12 + "{{ x|length }}",
    "{{ big|join('y' * 100000) }}",
    "{{ numbers|join('y' * 1000) }}",
    "{{ '%1000000000s'|format(1) }}",
    "{{ '%*d'|format(1000000000, 1) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ 'x'|truncate(10**9) }}",
    "{{ 1.5|round(10**9, 'ceil') }}",
    "{{ {'a': [1]}|tojson(indent=10**9) }}",
    "{% set ns = namespace(x='x') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
    "{% for i in range(40000) %}{{ big|length }}{% endfor %}",
    "{% set m = numbers|list %}{% for i in range(40000) %}{% if m + [1] == numbers %}{% endif %}{% endfor %}",
    "{{ big }}",
]


@pytest.mark.parametrize("template", BOMBS, ids=range(len(BOMBS)))
def test_no_template_does_too_much(template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(10**9))
    monkeypatch.setattr(work, "monotonic", lambda: next(ticks) / 1000)  # 1,000 looks at the clock
    with pytest.raises(
        TemplateError, match=r"^Line 1 of the template: .*(too|more than|largest|places|filled)"
    ) as told:
        render(template, GIVEN)
    assert "\n" not in str(told.value)


def test_time_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen = [0.0]

    def look() -> float:
        frozen[0] += 0.4
        return frozen[0]

    monkeypatch.setattr(work, "monotonic", look)
    with pytest.raises(TemplateError, match="it takes too long"):
        render("{{ name }}{{ name }}{{ name }}{{ name }}", GIVEN)


def test_an_error_tells_no_values() -> None:
    given = {"secret": "s3cret", "number": 3}
    for template in (
        "{{ secret + number }}", "{{ secret|fromjson }}", "{{ number / 0 }}", "{{ [[secret]]|unique|list }}", "{{ nobody() }}",
        "{{ secret() }}", "{{ secret.index('x') }}", "{{ range(secret) }}", "{% for x in number %}{% endfor %}",
        "{{ secret.strip }}", "{{ [secret]|sum }}", "{{ secret.split('') }}",
    ):  # fmt: skip
        with pytest.raises(TemplateError, match=r"^Line 1 of the template: .+\.$") as told:
            render(template, given)
        assert "s3cret" not in str(told.value)
        assert "\n" not in str(told.value)


def test_the_library_is_loaded_late() -> None:
    code = "import sys, headrace.rules.templates; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_filters_are_in_the_docs() -> None:
    page = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text(encoding="utf-8")
    listed = page.partition("these filters:")[2].partition("There are no macros")[0]
    there = sorted(name for name in sandbox.open_sandbox().filters if not name.startswith(" "))
    assert re.findall(r"`(\w+)`", listed) == there
    for number in (LONGEST, work.LONGEST_OUTPUT, work.MOST_STEPS):
        assert f"{number:,}" in page


@pytest.mark.parametrize(
    ("body", "headers", "event"),
    [
        ({"specversion": "1.0", "type": "t", "source": "s"}, {}, {"id": "s", "name": "s", "payload": {"data": None}}),
        (
            {"specversion": "1.0", "type": "t", "source": "s", "subject": "x", "data": {"a": 1}, "time": "now"},
            {},
            {"id": "s/x", "name": "x", "payload": {"a": 1}, "occurred": "now"},
        ),
        (
            {"a": 1},
            {"ce-type": "t", "ce-source": "s", "ce-time": "now"},
            {"id": "s", "name": "s", "payload": {"a": 1}, "occurred": "now"},
        ),
        ([1], {"ce-type": "t", "ce-source": "s"}, {"id": "s", "name": "s", "payload": {"data": [1]}}),
        ({"specversion": "1.0", "type": "t"}, {}, None),
        ({"a": 1}, {}, None),
    ],
)  # fmt: skip
def test_cloud_events_are_read(body: Any, headers: dict[str, str], event: dict[str, Any] | None) -> None:
    read = from_cloud_event(body, headers)
    if event is None:
        assert read is None
        return
    resource = {"prefect.resource.id": event.pop("id"), "prefect.resource.name": event.pop("name")}
    assert read == {"event": "t", "resource": resource, **event}
    template = "{{ body|from_cloud_event(headers) }}"
    assert json.loads(render(template, {"body": body, "headers": headers}, as_json=True)) == read
    with pytest.raises(TemplateError, match="this is no CloudEvent"):
        render("{{ 3|from_cloud_event(4) }}", {})
