import httpx2
import pytest

from headrace.server.gate import strip_port
from tests.unit.server.conftest import URL, Asker

NAVIGATION = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.mark.parametrize("host", ["localhost", "LocalHost:4200", "127.0.0.1:80", "127.0.0.1", "[::1]:4200", "[::1]"])
def test_a_server_without_a_key_answers_to_the_names_of_this_machine(ask: httpx2.Client, host: str) -> None:
    assert ask.get("/api/health", headers={"Host": host}).json() is True


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:4200",
        "0.0.0.0",
        "127.0.0.2",
        "::1",
        "",
        "10.0.0.1:4200",
    ],
)
def test_it_answers_to_no_other_name(ask: httpx2.Client, host: str) -> None:
    answer = ask.get("/api/health", headers={"Host": host})
    assert answer.status_code == 403
    assert "no key" in answer.json()["exception_message"]


def test_a_server_with_a_key_answers_to_any_name(serve: Asker) -> None:
    assert serve("secret").get("/api/health", headers={"Host": "headrace.example.com"}).json() is True


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:3000"},
        {"Origin": "http://localhost:4200"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_a_foreign_page_may_ask_nothing(ask: httpx2.Client, method: str, headers: dict[str, str]) -> None:
    assert ask.request(method, "/api/flows/count", headers=headers).status_code in {403, 405}


def test_a_foreign_page_may_ask_nothing_of_a_server_with_a_key_either(serve: Asker) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Authorization": "Bearer secret"}
    assert serve("secret").post("/api/flows/count", headers=headers).status_code == 403


def test_a_link_from_elsewhere_may_be_followed(ask: httpx2.Client) -> None:
    assert ask.get("/runs/flow-run/1", headers=NAVIGATION).status_code == 200
    assert ask.post("/api/flows/", headers=NAVIGATION, json={"name": "f"}).status_code == 403


@pytest.mark.parametrize(
    "headers", [{"Origin": URL}, {"Sec-Fetch-Site": "same-origin", "Origin": URL}, {"Sec-Fetch-Site": "none"}]
)
def test_our_own_page_may_ask(ask: httpx2.Client, headers: dict[str, str]) -> None:
    assert ask.post("/api/flows/count", headers=headers).json() == 0


def test_there_is_no_preflight(ask: httpx2.Client) -> None:
    answer = ask.options("/api/flows/", headers={"Access-Control-Request-Method": "POST"})
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/api/health", "/api/nothing", "/api/flows/x", "/", "/ui-settings"])
def test_every_answer_says_what_a_browser_may_do_with_it(ask: httpx2.Client, path: str) -> None:
    headers = ask.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["object-src"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-request-id"]


def test_data_is_not_kept_by_browsers(ask: httpx2.Client) -> None:
    assert ask.get("/api/hello").headers["cache-control"] == "no-store"
    assert ask.get("/").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("host", "name"),
    [("a:1", "a"), ("a", "a"), ("[::1]", "[::1]"), ("[::1]:1", "[::1]"), ("A.b:80", "a.b"), ("a:b", "a:b"), ("", "")],
)
def test_a_name_is_read_without_its_port(host: str, name: str) -> None:
    assert strip_port(host) == name
