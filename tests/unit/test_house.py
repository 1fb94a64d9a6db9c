"""The house rules, executable. A waiver is a line in a list here, so that it is seen when the list grows."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "headrace"
TESTS = ROOT / "tests"

LONGEST_MODULE = 500
LONGEST_FUNCTION = 80
# Written once as a record of what the schema became, and never edited.
MIGRATIONS = SOURCE / "storage" / "migrations" / "versions"
# Written by a program, which is what people read.
GENERATED = {SOURCE / "storage" / "compiled.py"}
# "module.py:function" -> why it is one idea all the same
LONG_FUNCTIONS: dict[str, str] = {}

NOT_NOUNS = {"utils", "util", "common", "helpers", "helper", "manager", "managers", "misc", "_internal"}
# An id begins with the time so that ids are in order; a clock that a test holds still must not make two of them meet.
CLOCKS = {SOURCE / "base" / "clock.py", SOURCE / "base" / "ids.py"}
WALL_CLOCK = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
SQL = re.compile(
    r"\s*(SELECT\s.+\sFROM|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|(CREATE|ALTER|DROP)\s+(TABLE|INDEX)"
    r"|PRAGMA\s+\w|BEGIN\s+IMMEDIATE|WITH\s+\w+\s+AS\s*\()",
    re.DOTALL,
)

MODULES = sorted(SOURCE.rglob("*.py"))
TEST_MODULES = sorted(TESTS.rglob("*.py"))


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def dotted_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every `a.b` that is read, with its line; of a longer chain, each pair."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value
            if isinstance(owner, ast.Name):
                yield f"{owner.id}.{node.attr}", node.lineno
            elif isinstance(owner, ast.Attribute):
                yield f"{owner.attr}.{node.attr}", node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno


def texts(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every string that is not a docstring, with its line."""
    docstrings = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value, node.lineno


def test_an_import_only_points_down() -> None:
    """The floors are a contract in pyproject.toml; import-linter checks it, imports inside functions included."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_import_goes_in_a_circle() -> None:
    """Imports inside functions count as well; those that only annotations need are never performed."""
    graph = grimp.build_graph("headrace", exclude_type_checking_imports=True, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail("a circle of imports: " + " <- ".join(error.args[1]))


def test_no_room_imports_the_front_door() -> None:
    """`import headrace` is what users write; inside, the module that has the name is imported."""
    inside = [path for path in MODULES if not {"testing", "integrations"} & {*path.relative_to(SOURCE).parts}]
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in inside
        for node in ast.walk(parse(path))
        if (isinstance(node, ast.Import) and any(alias.name == "headrace" for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module == "headrace")
    ]
    assert not found


def test_a_module_is_one_idea() -> None:
    written = [path for path in MODULES if path not in GENERATED and MIGRATIONS not in path.parents]
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in written}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_a_function_fits_on_a_page() -> None:
    long: dict[str, int] = {}
    for path in MODULES:
        if MIGRATIONS in path.parents:
            continue
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                length = node.end_lineno - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    long[f"{path.relative_to(SOURCE)}:{node.name}"] = length
    assert {name: length for name, length in long.items() if name not in LONG_FUNCTIONS} == {}
    assert LONG_FUNCTIONS.keys() <= long.keys(), "a waiver that nothing needs any more"


def test_a_module_is_named_by_a_noun() -> None:
    named = {name_of(path) for path in [*MODULES, *TEST_MODULES] if {*path.with_suffix("").parts} & NOT_NOUNS}
    assert named == set()


def test_only_the_clock_reads_the_time() -> None:
    """Whoever needs the time is handed a clock, so that a test can hold it still."""
    found = [
        f"{name_of(path)}:{line} reads {name}"
        for path in MODULES
        if path not in CLOCKS
        for name, line in dotted_names(parse(path))
        if name in WALL_CLOCK
    ]
    assert found == []


def test_sql_lives_in_storage() -> None:
    found = [
        f"{name_of(path)}:{line}"
        for path in MODULES
        if SOURCE / "storage" not in path.parents
        for text, line in texts(parse(path))
        if SQL.match(text)
    ]
    assert found == []


def test_tests_wait_for_signals() -> None:
    found = [
        f"{name_of(path)}:{line}"
        for path in TEST_MODULES
        for name, line in dotted_names(parse(path))
        if name == "time.sleep"
    ]
    assert found == []
