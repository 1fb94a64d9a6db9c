"""What strict type checkers say of the module that `headrace sdk generate` writes, and of calls through it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headrace.cli.sdk_source import Described, write_source
from tests.types.test_calls import MYPY_LINE, ROOT, run

NODE = {
    "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/definitions/Node"}}},
    "required": ["name"],
}
SCHEMA = {
    "properties": {
        "limit": {"type": "integer"},
        "day": {"type": "string", "format": "date-time"},
        "kind": {"$ref": "#/definitions/Kind"},
        "tree": {"anyOf": [{"$ref": "#/definitions/Node"}, {"type": "null"}]},
        "anything": {},
        "table": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "number"}}},
    },
    "required": ["day", "kind"],
    "definitions": {"Node": NODE, "Kind": {"enum": ["a", "b"], "type": "string"}},
}
DEPLOYMENTS = [
    Described("report/daily", 'Makes "the" report.', SCHEMA, frozenset()),
    Described("odd/names", "", {"properties": {"a-b": {"type": "integer"}}}, frozenset()),
    Described("plain/one", "", {}, frozenset()),
]
USES = """\
from datetime import datetime

from sdk import odd_names, plain_one, report_daily

run = report_daily.run({"timeout": 0, "tags": ["x"]}, day=datetime(2026, 1, 1), kind="a", limit=3)
print(run.state_name)
report_daily.run(day="2026-01-01", kind="b", tree={"name": "x", "children": [{"name": "y"}]}, table={"a": [1.0]})
plain_one.run()
odd_names.run(**{"a-b": 1})


async def wait() -> str:
    return (await report_daily.arun(day="2026-01-01", kind="a")).name
"""
MISTAKES = """\
from sdk import report_daily

report_daily.run(day="2026-01-01", kind="c")
report_daily.run(kind="a")
report_daily.run(day="2026-01-01", kind="a", limit="3")
report_daily.run({"time_out": 0}, day="2026-01-01", kind="a")
report_daily.run(day="2026-01-01", kind="a", colour="red")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sdk.py").write_text(write_source(DEPLOYMENTS))
    (tmp_path / "uses.py").write_text(USES)
    (tmp_path / "mistakes.py").write_text(MISTAKES)
    return tmp_path


def test_pyright_knows_the_parameters(folder: Path) -> None:
    config = {"extraPaths": [str(ROOT / "src")], "typeCheckingMode": "strict", "venvPath": str(ROOT), "venv": ".venv"}
    (folder / "pyrightconfig.json").write_text(json.dumps(config))
    answer = json.loads(run(folder, "pyright", "--outputjson", "--project", str(folder)))
    assert answer["summary"]["filesAnalyzed"] == 3
    said = {(Path(each["file"]).name, each["range"]["start"]["line"] + 1) for each in answer["generalDiagnostics"]}
    assert said == {("mistakes.py", line) for line in range(3, 8)}, answer["generalDiagnostics"]


def test_mypy_knows_the_parameters(folder: Path) -> None:
    files = ["sdk.py", "uses.py", "mistakes.py"]
    result = run(folder, "mypy", "--strict", "--hide-error-context", "--cache-dir", str(folder / "cache"), *files)
    said = {(Path(file).name, int(line)) for file, line, _ in MYPY_LINE.findall(result)}
    assert said == {("mistakes.py", line) for line in range(3, 8)}, result
