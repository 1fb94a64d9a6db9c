"""Blocks on the command line, over a database of the test's own."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from headrace.base.settings import Settings
from headrace.connect import open_administration
from headrace.gateway.administration import Administration
from tests.unit.cli.conftest import Machine, Terminal

FILE = """
from pydantic import SecretStr
from headrace.blocks.core import Block

class Login(Block):
    "Who somebody is."
    user: str
    password: SecretStr
    level: int = 1

class Shop(Block):
    login: Login
"""


@contextmanager
def open_real(settings: Settings) -> Generator[Administration]:
    with closing(cast("Any", open_administration(settings))) as opened:
        yield opened


@pytest.fixture
def real(terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setattr(terminal.administration, "open", open_real)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop_blocks.py").write_text(FILE)
    return terminal


@pytest.fixture
def registered(real: Terminal) -> Terminal:
    said = real.read("block", "register", "-f", "shop_blocks.py")
    assert said == "Registered 2 block types: login, shop.\n"
    return real


def test_a_block_is_made_shown_and_deleted(real: Terminal) -> None:
    assert real.read("block", "create", "secret", "token", "--set", "value=007007007") == "Saved: block secret/token.\n"
    shown = real.read("block", "inspect", "secret/token")
    assert "Block secret/token" in shown
    assert "********" in shown
    assert "007007007" not in shown
    assert "007007007" in real.read("block", "inspect", "secret/token", "--secrets")
    told = json.loads(real.read("block", "inspect", "secret/token", "-o", "json"))
    assert (told["name"], told["data"]) == ("token", {"value": "********"})
    assert real.read("block", "inspect", told["id"]) == shown
    assert real.read("block", "delete", "secret/token") == "Deleted block secret/token.\n"
    assert real.fail("block", "inspect", "secret/token") == "Error: There is no block 'secret/token'."


def test_a_block_is_saved_anew_only_if_asked_for(real: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    real.read("block", "create", "secret", "token", "--set", "value=one")
    refused = real.fail("block", "create", "secret", "token", "-s", "value=two")
    assert refused == "Error: There is a block secret/token already; --overwrite saves it anew."
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"value": {"a": [1]}}'))
    said = real.read("block", "create", "secret", "token", "--data", "-", "--overwrite")
    assert said == "Saved anew: block secret/token.\n"
    told = json.loads(real.read("block", "inspect", "secret/token", "--secrets", "-o", "json"))
    assert told["data"] == {"value": {"a": [1]}}


def test_a_block_can_be_in_another(registered: Terminal) -> None:
    registered.read("block", "create", "login", "mine", "-s", "user=12", "-s", "password=pw", "-s", "level=3")
    assert registered.read("block", "create", "shop", "here", "-s", "login=login/mine") == "Saved: block shop/here.\n"
    shown = registered.read("block", "inspect", "shop/here")
    assert '{"user":"12","password":"********","level":3}' in shown
    assert "login/mine" in shown
    assert "did you mean 'login/mine'?" in registered.fail("block", "create", "shop", "b", "-s", "login=login/min")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["login", "x"], 'The block does not fit its type: "user" is a required property'),
        (["login", "x", "--data", '{"user": 3, "password": "p"}'], 'user: 3 is not of type "string"'),
        (["login", "x", "--data", "[]"], "--data is no JSON object"),
        (["login", "x", "-s", "pass=1"], "have no field 'pass'; they have user, password, level"),
        (["login", "x", "-s", "user"], "--set 'user' is not written as name=value"),
        (["logim", "x"], "There is no block type 'logim'; did you mean 'login'?"),
        (["login", "Upper Case", "-s", "user=a", "-s", "password=b"], "name"),
        (["shop", "x", "-s", "login=mine"], "'mine' is no block: write type-slug/name, or an id"),
    ],
)
def test_a_block_that_cannot_be_is_refused(registered: Terminal, arguments: list[str], said: str) -> None:
    assert said in registered.fail("block", "create", *arguments)
    assert "There are no blocks yet" in registered.read("block", "ls")


def test_blocks_are_listed(registered: Terminal) -> None:
    for name in ("b", "a"):
        registered.read("block", "create", "secret", name, "-s", "value=x")
    registered.read("block", "create", "login", "c", "-s", "user=u", "-s", "password=p")
    lines = registered.read("block", "ls").splitlines()
    assert [line.split()[:2] for line in lines] == [["Type", "Name"], ["login", "c"], ["secret", "a"], ["secret", "b"]]
    assert "********" in lines[1]
    assert [each["name"] for each in json.loads(registered.read("blocks", "ls", "-t", "login", "-o", "json"))] == ["c"]
    assert "There is no block type 'none'" in registered.fail("block", "ls", "-t", "none")


def test_types_are_listed_inspected_and_deleted(registered: Terminal) -> None:
    listed = registered.read("block", "type", "ls")
    assert "login" in listed
    assert "Who somebody is." in listed
    assert {"login", "secret", "slack-webhook"} <= {
        each["slug"] for each in json.loads(registered.read("block", "type", "ls", "-o", "json"))
    }
    shown = registered.read("block", "type", "inspect", "login")
    assert [line.split()[:3] for line in shown.splitlines()[-3:]] == [
        ["user", "string", "yes"], ["password", "string,", "secret"], ["level", "integer"],
    ]  # fmt: skip
    told = json.loads(registered.read("block", "type", "inspect", "shop", "-o", "json"))
    assert told["block_schema"]["fields"]["required"] == ["login"]
    assert "info | success | warning | failure" in registered.read("block", "type", "inspect", "slack-webhook")
    assert registered.read("block", "type", "delete", "shop") == "Deleted block type shop.\n"
    assert "There is no block type 'shop'" in registered.fail("block", "type", "inspect", "shop")
    assert "came with Headrace" in registered.fail("block", "type", "delete", "secret")


def test_classes_are_registered_from_modules(real: Terminal, tmp_path: Path) -> None:
    assert "sealed" not in real.read("block", "register", "-m", "headrace.blocks.system")
    (tmp_path / "empty_blocks.py").write_text("from headrace.blocks.core import Block\n")
    assert "There is no class of blocks in empty_blocks.py" in real.fail("block", "register", "-f", "empty_blocks.py")
    assert "There is no file none.py" in real.fail("block", "register", "-f", "none.py")
    assert "There is no file nofile in " in real.fail("block", "register", "-f", "nofile")
    (tmp_path / "notes").touch()
    assert "notes is no file of Python" in real.fail("block", "register", "-f", "notes")
    assert "There is no module 'no_such'" in real.fail("block", "register", "-m", "no_such")
    for wrong in ([], ["-m", "a", "-f", "b"]):
        assert "Name either a module with --module or a file with --file" in real.fail("block", "register", *wrong)


def test_a_type_without_fields_has_no_blocks(real: Terminal) -> None:
    from headrace.base.settings import load_settings
    from headrace.schema.block import BlockTypeCreate

    with open_real(load_settings(real.environ)) as office:
        office.create_block_type(BlockTypeCreate(name="Bare", slug="bare"))
    assert "has no fields yet: register its class" in real.fail("block", "create", "bare", "x")
    assert "Block type bare" in real.read("block", "type", "inspect", "bare")


def test_secrets_are_sealed_anew(real: Terminal) -> None:
    real.read("block", "create", "secret", "token", "-s", "value=x")
    first = real.read("block", "rotate-secrets")
    assert first.startswith("Sealed the secrets of 1 block anew, with key ")
    assert real.read("block", "rotate-secrets") != first
    assert "x" in real.read("block", "inspect", "secret/token", "--secrets")


def test_a_block_is_named_by_its_id(machine: Machine) -> None:
    machine.read("block", "create", "secret", "token", "--set", "value=x")
    found = machine.ask("block", "inspect", "secret/token")
    assert machine.ask("block", "inspect", "--id", found["id"])["name"] == "token"
    assert machine.read("block", "delete", "--id", found["id"]) == "Deleted block secret/token.\n"
    assert "Name the block" in machine.fail("block", "delete")
