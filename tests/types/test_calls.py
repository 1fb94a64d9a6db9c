"""What a type checker says to calls as people write them, and to calls that are mistakes."""

import json
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(__file__).parent / "samples"
EXPECTATION = re.compile(r"# expect: (.+)$")


@cache
def check(folder: Path) -> dict[str, dict[int, str]]:
    """What pyright says in strict mode, by file and line."""
    config = {
        "extraPaths": [str(ROOT / "src")],
        "typeCheckingMode": "strict",
        "reportUnknownMemberType": False,
        "venvPath": str(ROOT),
        "venv": ".venv",
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(config))
    for sample in SAMPLES.glob("*.py"):
        shutil.copy(sample, folder)
    pyright = Path(sys.executable).with_name("pyright")
    result = subprocess.run(
        [str(pyright), "--outputjson", "--project", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    answer = json.loads(result.stdout)
    assert answer["summary"]["filesAnalyzed"] == 2
    said: dict[str, dict[int, str]] = {}
    for problem in answer["generalDiagnostics"]:
        lines = said.setdefault(Path(problem["file"]).name, {})
        line = problem["range"]["start"]["line"] + 1
        lines[line] = f"{lines.get(line, '')}{problem['message']}\n"
    return said


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[int, str]]:
    return check(tmp_path_factory.mktemp("pyright"))


def test_calls_as_people_write_them_are_right(said: dict[str, dict[int, str]]) -> None:
    assert said.get("right.py", {}) == {}


def test_each_mistake_is_said_to_be_one(said: dict[str, dict[int, str]]) -> None:
    lines = (SAMPLES / "wrong.py").read_text().splitlines()
    expected = {
        number: found[1] for number, line in enumerate(lines, 1) if (found := EXPECTATION.search(line)) is not None
    }
    problems = said["wrong.py"]
    assert problems.keys() == expected.keys()
    for number, part in expected.items():
        assert part in problems[number], lines[number - 1]
