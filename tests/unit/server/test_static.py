from pathlib import Path

import httpx2
import pytest

from headrace.server.routes import static


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    built = tmp_path / "static"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text("<title>page</title>")
    (built / "assets" / "app-1a2b.js").write_text("run()")
    (built / "theme.js").write_text("theme()")
    (tmp_path / "secret.txt").write_text("secret")
    monkeypatch.setattr(static, "FOLDER", built)
    return built


@pytest.mark.parametrize("path", ["/", "/runs/flow-run/1", "/a.b/c", "/settings/"])
def test_every_address_of_the_ui_is_its_one_page(ask: httpx2.Client, folder: Path, path: str) -> None:
    answer = ask.get(path)
    assert (answer.status_code, answer.text) == (200, "<title>page</title>")
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"


def test_files_whose_names_change_with_their_content_last(ask: httpx2.Client, folder: Path) -> None:
    answer = ask.get("/assets/app-1a2b.js")
    assert answer.text == "run()"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    assert ask.get("/theme.js").headers["cache-control"] == "no-cache"
    assert ask.head("/theme.js").status_code == 200
    assert ask.get("/assets/gone.js").status_code == 404


@pytest.mark.parametrize(
    "path", ["/..%2fsecret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/assets//../../secret.txt"]
)
def test_nothing_outside_is_shown(ask: httpx2.Client, folder: Path, path: str) -> None:
    assert "secret" not in ask.get(path).text


def test_the_api_is_no_page(ask: httpx2.Client, folder: Path) -> None:
    assert ask.get("/api/nothing").status_code == 404
    assert ask.get("/api").status_code == 404


def test_an_installation_without_the_ui_says_so(ask: httpx2.Client, folder: Path) -> None:
    (folder / "index.html").unlink()
    assert "make ui" in ask.get("/").text


def test_files_are_found_inside_the_folder_only(folder: Path) -> None:
    assert static.find_file("theme.js") == folder / "theme.js"
    (folder / "link").symlink_to(folder.parent / "secret.txt")
    for name in ("", "../secret.txt", "assets/../../secret.txt", "/etc/passwd", "link", "assets", "x\0y", "a" * 5000):
        assert static.find_file(name) is None
