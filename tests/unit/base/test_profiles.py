import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.base.errors import ConfigurationError
from headrace.base.profiles import Profiles, read_profiles, write_profiles

TEXTS = st.text(alphabet=st.characters(codec="utf-8"), max_size=20)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "profiles.toml"


def test_a_missing_file_is_the_empty_default_profile(path: Path) -> None:
    assert read_profiles(path) == Profiles(path, "default", {"default": {}})


def test_what_is_written_is_read(path: Path) -> None:
    document = Profiles(path, "a", {"default": {}, "a": {"HEADRACE_API_KEY": 'say "hi"\n\\ \x7f\x01 é'}, "b.c": {}})
    write_profiles(document)
    assert read_profiles(path) == document
    assert path.read_text(encoding="utf-8").startswith("# Written by")


@given(st.dictionaries(TEXTS, st.dictionaries(TEXTS, TEXTS, max_size=3), max_size=3), TEXTS)
def test_any_content_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, profiles: dict[str, dict[str, str]], active: str
) -> None:
    path = tmp_path_factory.mktemp("profiles") / "profiles.toml"
    document = Profiles(path, active, {"default": {}} | profiles)
    write_profiles(document)
    assert read_profiles(path) == document


def test_the_file_is_its_owners_alone(path: Path) -> None:
    write_profiles(Profiles(path, "default", {"default": {}}))
    path.chmod(0o644)
    write_profiles(Profiles(path, "default", {"default": {}}))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == ["profiles.toml"]  # noqa: PTH208 - nothing temporary is left


def test_a_write_that_fails_leaves_the_file_as_it_was(path: Path) -> None:
    write_profiles(Profiles(path, "default", {"default": {}}))
    before = path.read_bytes()
    with pytest.raises(UnicodeEncodeError):
        write_profiles(Profiles(path, "default", {"default": {"HEADRACE_API_KEY": "\ud800"}}))
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["profiles.toml"]


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"cannot be written to .*: (Not a directory|File exists)\."):
        write_profiles(Profiles(tmp_path / "file" / "profiles.toml", "default", {}))


@pytest.mark.parametrize(
    "text",
    ["no toml", "active = 1", "profiles = 1", "other = 1", "[profiles]\ndefault = 1"],
)
def test_something_else_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "profiles.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_profiles(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "profiles.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="is no TOML file"):
        read_profiles(path)
