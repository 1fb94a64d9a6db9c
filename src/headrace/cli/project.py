from __future__ import annotations

from cyclopts import App

from headrace.cli.init import Fields, Name, Recipe, begin
from headrace.cli.invocation import Injected

app = App(name="project", help_flags=["--help"])


@app.command
def init(*, name: Name = None, recipe: Recipe = None, field: Fields = None, invocation: Injected) -> None:
    """Begin a project as `headrace init` does, with a deployment.yaml and a folder .headrace beside."""
    begin(invocation, name=name, recipe=recipe, field=field, older=True)
