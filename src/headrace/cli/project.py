from __future__ import annotations

from cyclopts import App

from headrace.cli.init import Fields, begin
from headrace.cli.invocation import Injected

app = App(name="project", help_flags=["--help"])


@app.command
def init(
    *,
    name: str | None = None,
    recipe: str | None = None,
    field: Fields = None,
    invocation: Injected,
) -> None:
    """Begin a project as `headrace init` does, with a deployment.yaml and a folder .headrace beside.

    Parameters
    ----------
    name
        What the project is called; by default as its folder.
    recipe
        How the code comes to where it runs: local (this folder) or git (a clone).
    field
        A value of the recipe, as name=value. May be repeated.
    """
    begin(invocation, name=name, recipe=recipe, field=field, older=True)
