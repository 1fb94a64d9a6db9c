"""YAML files: every value knows its line, and what cannot be read is told with its line."""

from pathlib import Path

import pytest

from headrace.base.errors import ConfigurationError
from headrace.projects.documents import Document, parse_document, read_document


def parse(text: str) -> Document:
    return parse_document(text, Path("x.yaml"), "x.yaml")


def test_values_know_their_lines() -> None:
    document = parse("name: a\nlist:\n- one: 1\n  two: [2,\n   3]\n-\n  at: 2026-01-02\n1: 1.5\n")
    assert document.value == {"name": "a", "list": [{"one": 1, "two": [2, 3]}, {"at": "2026-01-02"}], "1": 1.5}
    assert document.place(("list", 0, "two", 1)) == "x.yaml, line 5"
    assert document.place(("list", 1, "at")) == "x.yaml, line 7"
    assert document.place(("list", 1, "missing")) == "x.yaml, line 7"
    assert document.place(("1",)) == "x.yaml, line 8"
    assert document.place(("nothing",)) == "x.yaml, line 1"


def test_anchors_and_merges_are_followed() -> None:
    document = parse("base: &base\n  a: 1\n  b: 2\nown:\n  <<: *base\n  b: 3\nsame: *base\n")
    assert document.value == {"base": {"a": 1, "b": 2}, "own": {"a": 1, "b": 3}, "same": {"a": 1, "b": 2}}
    assert document.place(("own", "b")) == "x.yaml, line 6"
    assert document.place(("own", "a")) == "x.yaml, line 2"


def test_an_empty_file_says_nothing() -> None:
    assert parse("").value == parse("# only this\n").value == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1, 2\nb: 3", "x.yaml, line 2: this is no YAML: "),
        ("a: 'b\n\n", "this is no YAML: found unexpected end of stream."),
        ("a: 1\n\tb: 2", "x.yaml, line 2: this is no YAML: "),
        (
            "a: !!python/object/apply:os.system [ls]",
            "x.yaml, line 1: this is no YAML: could not determine a constructor",
        ),
        ("a: !mine 1", "x.yaml, line 1: this is no YAML: could not determine a constructor for the tag '!mine'."),
        ("a: *nothing", "x.yaml, line 1: this is no YAML: found undefined alias 'nothing'."),
        ("a: 1\n---\nb: 2", "x.yaml, line 2: this is no YAML: but found another document."),
        ("a: 2026-99-99", "x.yaml: this is no YAML: month must be in 1..12"),
        ("a: \x00", "x.yaml: this is no YAML: "),
        ("- 1", "x.yaml, line 1: a project file is made of keys with values."),
        ("\nhello", "x.yaml, line 2: a project file is made of keys with values."),
        ("a: 1\nb: 2\na: 3", "x.yaml, line 3: the key 'a' is there twice."),
        ("l:\n- a: 1\n  a: 2", "x.yaml, line 3: the key 'a' is there twice."),
        ("a: &a\n  - *a", "this contains itself."),
        ("a: .nan", "x.yaml, line 1: a number has to be finite."),
        ("a: !!binary aGk=", "x.yaml, line 1: a bytes means nothing in such a file."),
        ("a: {? [1] : 2}", "x.yaml"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        parse(text)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_much_out_of_little_is_refused() -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 12))
    with pytest.raises(ConfigurationError, match="more than 100,000 values"):
        parse(f"l0: &l0 [1]\n{levels}")


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"There is no file headrace\.yaml\."):
        read_document(tmp_path / "headrace.yaml")
    (tmp_path / "headrace.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ConfigurationError, match=r"headrace\.yaml cannot be read: it is no text in UTF-8\."):
        read_document(tmp_path / "headrace.yaml")
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        read_document(tmp_path)


def test_an_unknown_key_is_told_with_the_nearest() -> None:
    document = parse("name: a\ndeploymnts: []\nzzz: 1\n")
    with pytest.raises(ConfigurationError, match=r"x.yaml, line 2: there is no key 'deploymnts' here; did you mean"):
        document.check_keys((), document.value, ["name", "deployments"])
    with pytest.raises(ConfigurationError, match=r"x.yaml, line 3: there is no key 'zzz' here; there are name\."):
        document.check_keys((), {"zzz": 1}, ["name"])
