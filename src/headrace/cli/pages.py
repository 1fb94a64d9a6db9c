"""The pages of the UI: where they are, and opening them in the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit, urlunsplit

from cyclopts import Parameter

from headrace.base.errors import ConfigurationError
from headrace.base.settings import hide_password

if TYPE_CHECKING:
    from headrace.cli.invocation import Invocation

Web = Annotated[bool, Parameter("--web", negative=(), show_default=False, help="Open its page in the browser instead.")]


def find_page(invocation: Invocation, path: str) -> str | None:
    """The address of a page, where the settings name a server."""
    api_url = invocation.settings.api_url
    if api_url is None:
        return None
    parts = urlsplit(api_url)
    host = parts.netloc.rpartition("@")[2]  # who asks is the browser's to say
    return urlunsplit((parts.scheme, host, f"{parts.path.removesuffix('/api')}{path}", "", ""))


def open_page(invocation: Invocation, path: str) -> None:
    """Show a page in the browser: of the server that the settings name, else of one that runs on the same database.

    Raises `ConfigurationError` when there is none.
    """
    address = find_page(invocation, path) or _find_local_page(invocation, path)
    if address is None:
        raise ConfigurationError("No server is running that has pages: `headrace server start` starts one.")
    import webbrowser

    invocation.print_line(address)
    if not webbrowser.open(address):
        invocation.print_warning("There is no browser here that could be opened.")


def _find_local_page(invocation: Invocation, path: str) -> str | None:
    from headrace.server.instances import find_instances

    database = hide_password(invocation.settings.database_url)
    for instance in find_instances(invocation.settings.home).values():
        if instance.database == database:
            return f"{instance.url}{path}"
    return None
