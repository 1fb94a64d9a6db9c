"""A page of somebody else in the browser of this machine learns nothing from a server without a key, and starts nothing."""

import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page, Response

from tests.acceptance.serving import ServerProcess
from tests.e2e.conftest import BROWSERS

READS = """
async ({api, deployment}) => {
  const told = {};
  const attempt = async (name, perform) => {
    try { told[name] = await perform(); } catch (error) { told[name] = "refused"; }
  };
  const read = async (path, init) => { const answer = await fetch(api + path, init); return answer.status; };
  const load = (tag, address) => new Promise((resolve) => {
    const node = document.createElement(tag);
    node.onload = () => resolve("loaded");
    node.onerror = () => resolve("refused");
    node.src = api + address;
    document.body.append(node);
  });
  const listen = (address) => new Promise((resolve) => {
    const stream = new EventSource(api + address);
    stream.onopen = () => { stream.close(); resolve("open"); };
    stream.onerror = () => { stream.close(); resolve("refused"); };
  });
  const connect = (address, protocol) => new Promise((resolve) => {
    const socket = new WebSocket(api.replace(/^http/, "ws") + address, protocol);
    socket.onopen = () => { socket.close(); resolve("open"); };
    socket.onerror = () => resolve("refused");
  });
  await attempt("fetch", () => read("/server"));
  await attempt("fetch with cookies", () => read("/server", {credentials: "include"}));
  await attempt("fetch of runs", () => read("/flow_runs/filter", {method: "POST", body: "{}"}));
  await attempt("script", () => load("script", "/../theme.js"));
  await attempt("picture", () => load("img", "/../favicon.svg"));
  await attempt("stream", () => listen("/live"));
  for (const path of ["/events/in", "/events/out", "/logs/out"]) {
    await attempt(`socket ${path}`, () => connect(path, []));
    await attempt(`socket ${path} of the contract`, () => connect(path, ["prefect"]));
  }
  return told;
}
"""
"""Each way to read, and what came of it."""

WRITES = """
async ({api, deployment}) => {
  const run = `/deployments/${deployment}/create_flow_run`;
  const swallow = (promise) => promise.then(() => {}, () => {});
  const text = {"content-type": "text/plain"};
  for (const mode of ["no-cors", "cors"]) {
    await swallow(fetch(api + "/flows/", {method: "POST", mode, headers: text, body: '{"name": "stolen"}'}));
    await swallow(fetch(api + run, {method: "POST", mode, headers: text, body: "{}"}));
    await swallow(fetch(api + run, {method: "POST", mode, body: new Blob(["{}"])}));
  }
  const json = {"content-type": "application/json"};
  await swallow(fetch(api + "/flows/", {method: "POST", headers: json, body: '{"name": "stolen"}'}));
  await swallow(fetch(api + run, {method: "POST", headers: json, body: "{}"}));
  await swallow(fetch(api + `/deployments/${deployment}`, {method: "DELETE"}));
  navigator.sendBeacon(api + run, "{}");
  navigator.sendBeacon(api + "/flows/", new Blob(['{"name": "stolen"}'], {type: "text/plain"}));
  for (const [path, name, value] of [["/flows/", '{"name": "stolen", "x": "', '"}'], [run, '{"name": "', 'stolen"}']]) {
    const frame = document.createElement("iframe");
    frame.name = `frame${path.length}`;
    const form = Object.assign(document.createElement("form"), {
      action: api + path, method: "post", enctype: "text/plain", target: frame.name,
    });
    form.append(Object.assign(document.createElement("input"), {name, value}));
    document.body.append(frame, form);
    const answered = new Promise((resolve) => { frame.onload = resolve; });
    form.submit();
    await answered;
  }
}
"""
"""Each way to write without asking first, and some that ask."""


class ForeignPage(BaseHTTPRequestHandler):
    """An empty page, under whatever name and address."""

    def do_GET(self) -> None:
        body = b"<!doctype html><title>Foreign</title><body></body>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - called so by its class
        """Say nothing."""


@pytest.fixture
def foreign_port() -> Iterator[int]:
    """The port of a server of somebody else's on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), ForeignPage)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture
def deployment(ask: httpx2.Client) -> str:
    """The id of a deployment that a foreign page would like to run; the one thing that is there."""
    flow = ask.post("/flows/", json={"name": "own"}).json()
    return ask.post("/deployments/", json={"name": "own", "flow_id": flow["id"]}).json()["id"]


def count_all(ask: httpx2.Client) -> dict[str, int]:
    """How much of everything there is."""
    return {noun: ask.post(f"/{noun}/count", json={}).json() for noun in ("flows", "flow_runs", "deployments")}


def watch(page: Page, port: int) -> list[Response]:
    """What the server of that port answers to the page."""
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer) if f":{port}/" in answer.url else None)
    return answers


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on which things may go wrong."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("own_name", ["127.0.0.1", "localhost"])
def test_a_foreign_page_reads_nothing_and_starts_nothing(
    page: Page, server: ServerProcess, ask: httpx2.Client, deployment: str, foreign_port: int, name: str, own_name: str
) -> None:
    before = count_all(ask)
    page.goto(f"http://{own_name}:{foreign_port}/")
    answers = watch(page, server.port)
    given = {"api": f"http://{name}:{server.port}/api", "deployment": deployment}
    assert set(page.evaluate(READS, given).values()) == {"refused"}
    page.evaluate(WRITES, given)
    # The browser keeps to itself what scripts were refused; what the forms got is seen.
    assert [answer.status for answer in answers] == [403, 403]
    assert count_all(ask) == before == {"flows": 1, "flow_runs": 0, "deployments": 1}


def test_the_same_attempts_succeed_from_the_servers_own_page(
    page: Page, server: ServerProcess, ask: httpx2.Client, deployment: str
) -> None:
    """So they are refused for where they come from, not for being wrong."""
    page.goto(f"http://127.0.0.1:{server.port}/")
    given = {"api": f"http://127.0.0.1:{server.port}/api", "deployment": deployment}
    told = page.evaluate(READS, given)
    assert {said for said in told.values() if said == "refused"} == set(), told
    page.evaluate(WRITES, given)
    after = count_all(ask)
    assert after["flows"] == 2
    assert after["flow_runs"] >= 4


def test_a_frame_of_a_foreign_page_shows_nothing(page: Page, server: ServerProcess, foreign_port: int) -> None:
    page.goto(f"http://127.0.0.1:{foreign_port}/")
    with page.expect_response(f"http://127.0.0.1:{server.port}/runs") as answer:
        page.evaluate(
            "address => document.body.append(Object.assign(document.createElement('iframe'), {src: address}))",
            f"http://127.0.0.1:{server.port}/runs",
        )
    assert answer.value.status == 403


def test_a_link_from_elsewhere_is_followed_but_not_seen_through(
    page: Page, server: ServerProcess, foreign_port: int
) -> None:
    page.goto(f"http://127.0.0.1:{foreign_port}/")
    with page.expect_popup() as opened:
        page.evaluate("address => { window.other = open(address); }", f"http://127.0.0.1:{server.port}/runs")
    opened.value.get_by_role("heading", name="Runs", level=1).wait_for()
    assert page.evaluate("() => { try { return String(other.document); } catch { return null; } }") is None
    assert opened.value.evaluate("window.opener") is None


def test_a_name_that_was_bound_anew_is_not_answered(
    browser: Browser, server: ServerProcess, ask: httpx2.Client, deployment: str
) -> None:
    """A page may have its own name lead to this machine, and would then be of one origin with the server."""
    path = next(found for name in BROWSERS if (found := shutil.which(name)))
    rules = "--host-resolver-rules=MAP rebound.test 127.0.0.1"
    arguments = [rules, "--no-sandbox"] if os.geteuid() == 0 else [rules]
    rebound = browser.browser_type.launch(executable_path=path, args=arguments)
    try:
        page = rebound.new_page()
        answer = page.goto(f"http://rebound.test:{server.port}/")
        assert answer is not None
        assert answer.status == 403
        answers = watch(page, server.port)
        given = {"api": f"http://rebound.test:{server.port}/api", "deployment": deployment}
        page.evaluate("document.body ?? document.documentElement.append(document.createElement('body'))")
        told = page.evaluate(READS, given)
        assert {said for said in told.values() if said not in {"refused", 403}} == set(), told
        page.evaluate(WRITES, given)
        assert {answer.status for answer in answers} == {403}
    finally:
        rebound.close()
    assert count_all(ask) == {"flows": 1, "flow_runs": 0, "deployments": 1}
