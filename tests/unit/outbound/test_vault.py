"""Secrets are sealed with keys outside the database."""

import base64
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from headrace.base.errors import ConfigurationError
from headrace.outbound.vault import Sealed, Vault

HERE = b"document 1"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "home" / "secrets.key")


def file_of(vault: Vault) -> Path:
    return Path(vault.where)


def test_what_is_sealed_opens_where_it_belongs(vault: Vault) -> None:
    sealed = vault.seal("pässword\0", HERE)
    assert "pässword" not in sealed.text
    assert vault.open(sealed, HERE) == "pässword\0"
    assert vault.seal("pässword\0", HERE).text != sealed.text
    with pytest.raises(ConfigurationError, match="cannot be opened: it was changed, or moved"):
        vault.open(sealed, b"document 2")
    for text in (sealed.text[:-8] + "AAAAAAA=", "no base64!", ""):
        with pytest.raises(ConfigurationError, match="cannot be opened"):
            vault.open(Sealed(sealed.key_id, text), HERE)


def test_the_key_is_its_owners_alone(vault: Vault) -> None:
    vault.seal("x", HERE)
    path = file_of(vault)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [*path.parent.iterdir()] == [path]
    assert len(base64.b64decode(path.read_text())) == 32


def test_another_process_uses_the_same_key(vault: Vault) -> None:
    sealed = vault.seal("x", HERE)
    assert Vault(file_of(vault)).open(sealed, HERE) == "x"


def test_a_new_key_opens_what_the_old_one_sealed(vault: Vault) -> None:
    first = vault.seal("x", HERE)
    vault.renew()
    second = vault.seal("x", HERE)
    assert first.key_id != second.key_id == vault.key_id
    assert vault.open(first, HERE) == vault.open(second, HERE) == "x"


def test_old_keys_are_forgotten_when_nothing_needs_them(vault: Vault) -> None:
    sealed = [vault.seal("x", HERE)]
    for _ in range(3):
        vault.renew()
        sealed.append(vault.seal("x", HERE))
    vault.forget(frozenset({sealed[1].key_id}))
    for one in sealed[1:]:
        assert vault.open(one, HERE) == "x"
    with pytest.raises(ConfigurationError, match=f"sealed with key {sealed[0].key_id}, which is not in .*secrets.key"):
        vault.open(sealed[0], HERE)
    before = file_of(vault).stat().st_ino
    vault.forget(frozenset({sealed[1].key_id}))
    assert file_of(vault).stat().st_ino == before


def test_keys_can_be_given(tmp_path: Path) -> None:
    path = tmp_path / "secrets.key"
    old, new = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    sealed = Vault(path, old).seal("x", HERE)
    both = Vault(path, f"{new},{old}")
    assert both.open(sealed, HERE) == "x"
    assert both.seal("x", HERE).key_id != sealed.key_id
    both.renew()
    both.forget(frozenset())
    assert not path.exists()
    with pytest.raises(ConfigurationError, match="not in HEADRACE_SECRETS_KEY"):
        Vault(path, new).open(sealed, HERE)


@pytest.mark.parametrize("given", ["short", base64.b64encode(b"x" * 31).decode(), "§", "\n"])
def test_what_is_no_key_is_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(
        ConfigurationError, match="HEADRACE_SECRETS_KEY holds no keys: each is 32 random bytes in base64"
    ):
        Vault(tmp_path / "key", given).seal("x", HERE)
    (tmp_path / "key").write_text(given)
    with pytest.raises(ConfigurationError, match="key holds no keys"):
        Vault(tmp_path / "key").seal("x", HERE)


def test_a_key_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"(cannot be read|cannot be kept)"):
        Vault(tmp_path / "file" / "secrets.key").seal("x", HERE)
    with pytest.raises(ConfigurationError, match="cannot be kept in"):
        Vault(tmp_path / "file" / "secrets.key").renew()


def test_the_library_is_loaded_with_the_first_secret() -> None:
    code = (
        "import sys; from pathlib import Path; from headrace.outbound.vault import Vault; Vault(Path('x'));"
        "print('cryptography' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
