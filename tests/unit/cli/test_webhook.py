import json
from pathlib import Path
from uuid import uuid4

import pytest

from headrace.schema.webhook import Webhook
from tests.unit.cli.conftest import Terminal

TEMPLATE = '{"event": "x", "resource": {"prefect.resource.id": "x"}}'


def make(terminal: Terminal, name: str = "models", *more: str) -> Webhook:
    terminal.read("webhook", "create", name, "--template", TEMPLATE, *more)
    (made,) = [each for each in terminal.administration.webhooks.values() if each.name == name]
    return made


def test_create_says_where_it_is_called(terminal: Terminal, tmp_path: Path) -> None:
    said = terminal.read("webhook", "create", "models", "-t", TEMPLATE, "-d", "From the shop")
    assert said.splitlines() == ["Made webhook models.", "  URL: http://127.0.0.1:4200/hooks/slug-0"]
    (made,) = terminal.administration.webhooks.values()
    assert (made.name, made.template, made.description) == ("models", TEMPLATE, "From the shop")
    file = tmp_path / "template.json"
    file.write_text("from a file")
    terminal.environ["HEADRACE_API_URL"] = "https://headrace.example.com/api"
    told = json.loads(terminal.read("webhook", "create", "other", "-t", f"@{file}", "-o", "json"))
    assert (told["template"], told["description"], told["enabled"]) == ("from a file", None, True)
    assert "https://headrace.example.com/hooks/slug-1" in terminal.read("webhook", "get", "other")
    assert "cannot be read: No such file" in terminal.fail("webhook", "create", "third", "-t", f"@{tmp_path}/missing")
    file.write_bytes(b"\xff")
    assert "cannot be read: it is no text" in terminal.fail("webhook", "create", "third", "-t", f"@{file}")


def test_a_webhook_needs_a_template(terminal: Terminal) -> None:
    assert "--template" in terminal.fail("webhook", "create", "models")


def test_ls_lists_by_name(terminal: Terminal) -> None:
    assert "There are no webhooks yet" in terminal.read("webhook", "ls")
    make(terminal, "models", "-d", "From the shop")
    make(terminal, "ages")
    terminal.read("webhook", "toggle", "ages")
    lines = [line.split() for line in terminal.read("webhooks", "ls").splitlines()]
    assert lines[0][:3] == ["Name", "On", "URL"]
    assert [line[:3] for line in lines[1:]] == [
        ["ages", "no", "http://127.0.0.1:4200/hooks/slug-1"],
        ["models", "yes", "http://127.0.0.1:4200/hooks/slug-0"],
    ]
    assert [each["name"] for each in json.loads(terminal.read("webhook", "ls", "-o", "json"))] == ["ages", "models"]


def test_get_shows_everything(terminal: Terminal) -> None:
    made = make(terminal)
    for named in ("models", str(made.id)):
        shown = terminal.read("webhook", "get", named)
        assert all(part in shown for part in ("Webhook models", str(made.id), "/hooks/slug-0", TEMPLATE, "yes"))
        assert "Description" not in shown
    assert json.loads(terminal.read("webhook", "inspect", "models", "-o", "json"))["slug"] == "slug-0"


def test_a_webhook_is_changed(terminal: Terminal) -> None:
    made = make(terminal, "models", "-d", "d")
    assert terminal.read("webhook", "update", "models", "-n", "m", "-t", "{}") == "Changed webhook models.\n"
    now = terminal.administration.webhooks[made.id]
    assert (now.name, now.template, now.description, now.slug) == ("m", "{}", "d", "slug-0")
    terminal.read("webhook", "update", "m", "-d", "")
    assert terminal.administration.webhooks[made.id].description is None
    assert "There is nothing to change" in terminal.fail("webhook", "update", "m")


def test_a_webhook_is_turned_off_and_on(terminal: Terminal) -> None:
    make(terminal)
    assert terminal.read("webhook", "toggle", "models") == "Webhook models is off.\n"
    assert terminal.read("webhook", "toggle", "models") == "Webhook models is on.\n"


def test_a_webhook_moves_and_goes(terminal: Terminal) -> None:
    make(terminal)
    said = terminal.read("webhook", "rotate", "models")
    assert said.splitlines()[1] == "  URL: http://127.0.0.1:4200/hooks/another"
    assert terminal.read("webhook", "delete", "models") == "Deleted webhook models.\n"
    assert terminal.administration.webhooks == {}


@pytest.mark.parametrize("word", ["get", "rotate", "toggle", "delete"])
def test_a_webhook_that_is_not_there_is_an_error(terminal: Terminal, word: str) -> None:
    assert terminal.fail("webhook", word, "models") == "Error: There is no webhook called 'models'."
    missing = str(uuid4())
    assert terminal.fail("webhook", word, missing) == f"Error: There is no webhook with id {missing}."
