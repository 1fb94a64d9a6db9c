from __future__ import annotations

from cyclopts import App

from headrace.cli.invocation import Injected
from headrace.cli.pages import open_page

app = App(name="dashboard", help_flags=["--help"])


@app.command(name="open")
def open_(*, invocation: Injected) -> None:
    """Open the pages of the server in the browser: the one that the settings name, else one on the database in use."""
    open_page(invocation, "/")
