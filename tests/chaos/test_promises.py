"""The table in README.md: each promise has a test, each test a planted bug that makes it fail, and both are there."""

import ast
import re
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
PROMISES = {f"P{number}" for number in (1, 2, 3, 4, 6, 7, 9, 10, 11)}


class Row(NamedTuple):
    """One row of the table."""

    promise: str
    done: str
    test: str
    bug: str
    proof: str


def read_table() -> list[Row]:
    lines = re.findall(r"^\| (P\d+: .+) \|$", (HERE / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    return [Row(*(cell.strip("` ") for cell in line.split(" | "))) for line in lines]


def read_tests() -> dict[str, ast.FunctionDef]:
    return {
        f"{path.name}::{each.name}": each
        for path in HERE.glob("test_*.py")
        for each in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")
    }


def test_each_promise_has_a_test_and_a_bug_that_makes_it_fail() -> None:
    table, tests = read_table(), read_tests()
    assert {row.promise.partition(":")[0] for row in table} == PROMISES
    assert {name for row in table for name in (row.test, row.proof)} <= {*tests}
    assert len({row.proof for row in table}) == len(table), "each row has a bug of its own"


def test_each_test_of_a_planted_bug_is_in_the_table() -> None:
    proofs = {row.proof for row in read_table()}
    assert {name for name in read_tests() if name.endswith("found_out")} == proofs
