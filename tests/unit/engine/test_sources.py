from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headrace.engine import sources
from headrace.engine.digests import digest
from headrace.engine.sources import describe, key_of, locate, version_of


def plain(value: int = 1) -> int:
    return value


def passed_on(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def inner(*args: Any) -> Any:
        return function(*args)

    return inner


class Callable_:  # noqa: N801
    def __call__(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (plain, "plain"),
        (passed_on(plain), "plain"),
        (functools.partial(functools.partial(plain), 3), "plain"),
        (Callable_(), "Callable_"),
        (len, "len"),
    ],
    ids=["function", "wrapped", "partial", "callable object", "built in"],
)
def test_whatever_can_be_called_has_a_name(function: Callable[..., Any], name: str) -> None:
    assert describe(function) == name
    assert key_of(function).startswith(f"{name}-")


def test_a_key_is_of_the_function_and_its_file() -> None:
    assert key_of(plain) == key_of(passed_on(plain))
    assert key_of(plain) != key_of(test_whatever_can_be_called_has_a_name)


def test_the_key_is_the_same_whatever_the_module_was_imported_as(tmp_path: Path) -> None:
    script = tmp_path / "steps.py"
    script.write_text(
        "from headrace.engine.sources import key_of\ndef load(): ...\nif __name__ == '__main__': print(key_of(load))\n"
    )
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=60)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import steps; print(steps.key_of(steps.load))"
    imported = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout == imported.stdout != ""


def test_the_version_is_a_digest_of_the_file() -> None:
    assert version_of(plain) == version_of(passed_on(plain)) == digest(Path(__file__).read_bytes())


@pytest.mark.parametrize(
    "function", [len, Callable_(), functools.partial(plain)], ids=["built in", "an object", "a partial"]
)
def test_what_has_no_code_of_its_own_has_no_version(function: Callable[..., Any]) -> None:
    assert version_of(function) is None


def test_what_was_typed_in_has_no_version(tmp_path: Path) -> None:
    made: dict[str, Any] = {}
    exec(compile("def typed(): ...", str(tmp_path / "gone.py"), "exec"), made)
    assert version_of(made["typed"]) is None


def test_a_file_is_read_once() -> None:
    sources._digest.cache_clear()  # pyright: ignore[reportPrivateUsage]
    version_of(plain)
    version_of(test_a_file_is_read_once)
    assert sources._digest.cache_info().misses == 1  # pyright: ignore[reportPrivateUsage]


def test_a_function_can_be_found_again_from_the_directory_it_was_called_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert locate(passed_on(plain)) == {"entrypoint": f"{__file__}:plain", "directory": str(tmp_path)}


def test_what_stands_in_no_file_or_within_a_function_cannot_be_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for function in (len, Callable_(), lambda: 1, eval("lambda: 1")):
        assert locate(function) == {}
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert locate(plain) == {}
