import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.engine.digests import checksum, digest, is_same, random_name, sign


@settings(max_examples=50)
@given(st.binary(), st.binary())
def test_equal_texts_have_one_digest_and_others_another(one: bytes, other: bytes) -> None:
    assert (digest(one) == digest(other)) == (one == other)


@pytest.mark.parametrize("size", [4, 16, 20])
def test_a_digest_is_as_long_as_asked(size: int) -> None:
    assert len(digest(b"text", size=size)) == 2 * size


def test_a_digest_is_made_of_all_parts() -> None:
    assert digest(b"a", b"b") == digest(b"ab") != digest(b"a")


def test_a_checksum_is_eight_digits_and_stays_the_same() -> None:
    assert checksum("taxi.py:main_flow") == "61322adf"


def test_a_file_name_that_is_no_utf_8_has_a_checksum() -> None:
    assert len(checksum("caf\udce9.py:main")) == 8


@settings(max_examples=50)
@given(st.binary(min_size=1), st.binary(), st.binary())
def test_a_signature_is_of_all_parts_under_the_key(key: bytes, header: bytes, payload: bytes) -> None:
    signature = sign(key, header, payload)
    assert is_same(signature, sign(key, header + payload))
    assert not is_same(signature, sign(key + b"\1", header, payload))
    assert not is_same(signature, sign(key, header, payload, b"more"))


def test_signatures_of_any_text_are_compared() -> None:
    assert not is_same("é", "e")


def test_random_names_differ() -> None:
    assert len({random_name() for _ in range(100)}) == 100


def test_the_libraries_are_imported_with_the_first_digest_only() -> None:
    code = "import sys; before = {*sys.modules}; import headrace.engine.digests; print({*sys.modules} - before)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "headrace.engine.digests" in run.stdout
    assert "hashlib" not in run.stdout
    assert "hmac" not in run.stdout
