from __future__ import annotations

import re
import sys
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import Parameter
from rich.text import Text

from headrace.base.errors import InvalidRequest
from headrace.cli.invocation import Flag, Injected, Invocation
from headrace.cli.texts import clean, one_line
from headrace.cli.values import decode_shallow
from headrace.schema.wire import decode_json

if TYPE_CHECKING:
    import httpx2

    from headrace.client.transport import Transport

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
PRESENT = "present"
"""What is shown of a credential."""


def api(
    method: Annotated[str, Parameter(help=f"One of {', '.join(METHODS)}.")],
    path: Annotated[str, Parameter(help="Below the API's address, such as /flow_runs/filter.")],
    /,
    *,
    data: Annotated[
        str | None,
        Parameter(
            ["--data", "-d"],
            allow_leading_hyphen=True,
            help="The body, as JSON; @FILE reads it from a file, - from the input. A POST without one sends {}.",
        ),
    ] = None,
    header: Annotated[
        tuple[str, ...],
        Parameter(
            ["--header", "-H"], negative=(), show_default=False, help="A header, as Name: value. May be repeated."
        ),
    ] = (),
    verbose: Annotated[
        bool,
        Parameter(
            ["--verbose", "-v"], negative=(), show_default=False, help="Show on stderr what is sent and answered."
        ),
    ] = False,
    root: Annotated[Flag, Parameter(help="The path counts from the server's root instead of /api.")] = False,
    invocation: Injected,
) -> None:
    """Send a request to the API and show what it answers. Without a server it is answered by the database in use.

    The exit code is 1 when the request is refused.
    """
    method = method.upper()
    if method not in METHODS:
        raise InvalidRequest(f"{method!r} is no method of the API: write {', '.join(METHODS)}.")
    if re.search(r"[\s\x00-\x1f]", path) or "://" in path:
        raise InvalidRequest(f"{path!r} is no path: write it as /flow_runs/filter, below the API's address.")
    headers = _read_headers(header)
    content = _read_data(data, method)
    path = f"/{path.lstrip('/')}"
    with _open_transport(invocation, root) as transport:
        response = transport.fetch(method, path, content, headers=headers)
    if verbose:
        _show_exchange(invocation, response)
    _show_content(invocation, response)
    if response.status_code >= 300:
        said = f"{response.status_code} {response.reason_phrase}".strip()
        target = response.headers.get("location")
        raise InvalidRequest(f"{method} {path} was answered {said}{f', which points to {target}' if target else ''}.")


@contextmanager
def _open_transport(invocation: Invocation, root: bool) -> Generator[Transport]:
    """The way to the server, or to the routes over the database in this process."""
    from headrace.client.transport import Transport

    settings = invocation.settings
    if settings.api_url is not None:
        address = settings.api_url.removesuffix("/api") if root else settings.api_url
        with closing(Transport(address, settings.api_key)) as transport:
            yield transport
        return
    from headrace.connect import open_orchestrator
    from headrace.server.app import build_app
    from headrace.server.local import LocalWire

    with closing(open_orchestrator(settings)) as orchestrator:
        application = build_app(orchestrator.execution, orchestrator.administration)
        address = "http://localhost" if root else "http://localhost/api"
        with closing(Transport(address, wire=LocalWire(application.gate))) as transport:
            yield transport


def _read_headers(given: Sequence[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for each in given:
        name, colon, value = each.partition(":")
        if not colon or not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or re.search(r"[^\t\x20-\x7e]", value):
            raise InvalidRequest(f"--header {each!r} is no header: write it as Name: value.")
        headers[name] = value.strip()
    return headers


def _read_data(data: str | None, method: str) -> bytes | None:
    """The body that is sent. Raises `InvalidRequest` for what is no JSON."""
    if data is None:
        return b"{}" if method == "POST" else None
    text = data
    if data == "-":
        text = sys.stdin.read()
    elif data.startswith("@"):
        try:
            text = Path(data[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
            raise InvalidRequest(f"--data: {data[1:]} cannot be read: {why}.") from None
    try:
        decode_shallow(text, "--data")
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"--data is no JSON: {error}.") from None
    except UnicodeEncodeError:
        raise InvalidRequest("--data is no text in UTF-8.") from None
    return text.encode()


def _show_exchange(invocation: Invocation, response: httpx2.Response) -> None:
    request = response.request
    lines = [f"> {request.method} {request.url}"]
    lines += [
        f"> {name}: {PRESENT if name.lower() == 'authorization' else value}" for name, value in request.headers.items()
    ]
    lines.append(f"< {response.status_code} {response.reason_phrase}")
    lines += [f"< {name}: {value}" for name, value in response.headers.items()]
    for line in lines:
        invocation.err.print(Text(one_line(line), "bright_black"), soft_wrap=True)


def _show_content(invocation: Invocation, response: httpx2.Response) -> None:
    if not response.content:
        return
    if "json" in response.headers.get("content-type", ""):
        try:
            invocation.print_json(decode_json(response.content))
            return
        except msgspec.DecodeError:
            pass
    invocation.out.file.write(f"{clean(response.text)}\n")
