from __future__ import annotations

from cyclopts import App
from rich.text import Text

from headrace.cli.invocation import Injected, Output
from headrace.cli.lookup import read_pages
from headrace.cli.runs import Limit
from headrace.cli.tables import Column, fit_table
from headrace.cli.texts import one_line, say_when, show_tags

app = App(name="flow", help_flags=["--help"])


@app.command
def ls(*, limit: Limit = 15, output: Output = None, invocation: Injected) -> None:
    """List flows by name."""
    with invocation.administration() as administration:
        flows = read_pages(lambda page: administration.list_flows(page=page), limit)
    if output == "json":
        invocation.print_json(flows)
        return
    if not flows:
        invocation.print(Text("There are no flows yet: a flow is known once it has run.", "bright_black"))
        return
    columns = (Column("ID"), Column("Name", least=12), Column("Created"), Column("Tags", least=8, drop=1))
    rows = [
        [str(flow.id), one_line(flow.name), say_when(flow.created, invocation.now), show_tags(flow.tags)]
        for flow in flows
    ]
    invocation.print(fit_table(columns, rows, invocation.out.width))
