"""What type checkers say to calls as people write them, and to calls that are mistakes: pyright and mypy, both strict."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(__file__).parent / "samples"
RIGHT = ["project.py", "right.py"]
EXPECTATION = re.compile(r"# expect: (.+)$")
MYPY_LINE = re.compile(r"(\S+\.py):(\d+): error: (.*)")

Said = dict[str, dict[int, str]]
"""What a checker says, by file and line."""


def ask_pyright(folder: Path) -> Said:
    config = {
        "extraPaths": [str(ROOT / "src")],
        "typeCheckingMode": "strict",
        "reportUnknownMemberType": False,
        "venvPath": str(ROOT),
        "venv": ".venv",
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(config))
    result = run(folder, "pyright", "--outputjson", "--project", str(folder))
    answer = json.loads(result)
    assert answer["summary"]["filesAnalyzed"] == len(RIGHT) + 1
    said: Said = {}
    for problem in answer["generalDiagnostics"]:
        note(said, problem["file"], problem["range"]["start"]["line"] + 1, problem["message"])
    return said


def ask_mypy(folder: Path) -> Said:
    paths = sorted(path.name for path in folder.glob("*.py"))
    result = run(folder, "mypy", "--strict", "--hide-error-context", "--cache-dir", str(folder / "cache"), *paths)
    assert f"(checked {len(RIGHT) + 1} source files)" in result
    said: Said = {}
    for file, line, message in MYPY_LINE.findall(result):
        note(said, file, int(line), message)
    return said


def run(folder: Path, checker: str, *arguments: str) -> str:
    program = Path(sys.executable).with_name(checker)
    result = subprocess.run(
        [str(program), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={"PATH": str(program.parent), "MYPYPATH": str(ROOT / "src")},
    )
    assert not result.stderr, result.stderr
    return result.stdout


def note(said: Said, file: str, line: int, message: str) -> None:
    lines = said.setdefault(Path(file).name, {})
    lines[line] = f"{lines.get(line, '')}{message}\n"


@pytest.fixture(scope="module", params=[ask_pyright, ask_mypy], ids=["pyright", "mypy"])
def said(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Said:
    folder = tmp_path_factory.mktemp("types")
    for sample in SAMPLES.glob("*.py"):
        shutil.copy(sample, folder)
    answer: Said = request.param(folder)
    return answer


@pytest.mark.parametrize("sample", RIGHT)
def test_calls_as_people_write_them_are_right(said: Said, sample: str) -> None:
    assert said.get(sample, {}) == {}


def test_each_mistake_is_said_to_be_one(said: Said, request: pytest.FixtureRequest) -> None:
    lines = (SAMPLES / "wrong.py").read_text().splitlines()
    expected = {
        number: found[1] for number, line in enumerate(lines, 1) if (found := EXPECTATION.search(line)) is not None
    }
    problems = said["wrong.py"]
    assert problems.keys() == expected.keys()
    if "pyright" in request.node.name:  # the words are one checker's, the mistakes are known to both
        for number, part in expected.items():
            assert part in problems[number], lines[number - 1]
