from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from headrace.base.errors import ConfigurationError
from headrace.base.settings import Settings, hide_password, load_settings
from headrace.cli.copying import Copied, Copier, count_outcomes
from headrace.cli.invocation import Injected, Invocation, Output
from headrace.cli.tables import Column, fit_table
from headrace.cli.texts import one_line, say_count

ADDRESSES = ("HEADRACE_API_URL", "HEADRACE_API_KEY", "HEADRACE_DATABASE_URL", "HEADRACE_PROFILE")
"""What of the environment does not count here: each of the two profiles says it for itself."""


def transfer(
    *,
    from_: Annotated[str, Parameter("--from", help="The profile whose things are copied.")],
    to: Annotated[str, Parameter(help="The profile that they are copied to.")],
    output: Output = None,
    invocation: Injected,
) -> None:
    """Copy flows, variables, limits, blocks with their secrets, pools, deployments and automations from one profile to another.

    What is there already, by its name, is left as it is: the same again copies only what is missing. Runs stay where they
    are. The exit code is 1 when something could not be copied.
    """
    source, target = _read_profile(invocation, from_), _read_profile(invocation, to)
    if _locate(source) == _locate(target):
        raise ConfigurationError(f"Profiles {from_} and {to} are the same place, {_locate(source)}.")
    if not invocation.confirm(f"Copy what {from_} has ({_locate(source)}) to {to} ({_locate(target)})?"):
        raise ConfigurationError("Nothing was copied.")
    with ExitStack() as stack:
        copier = Copier(
            stack.enter_context(invocation.administration(source)),
            stack.enter_context(invocation.administration(target)),
            stack.enter_context(invocation.execution(target)),
        )
        done = [*copier.copy()]
    if output == "json":
        invocation.print_json(done)
    else:
        _show(invocation, done)
    failed = sum(each.outcome == "failed" for each in done)
    if failed:
        invocation.print_error(f"{say_count(failed, 'thing')} could not be copied; run it again when that is mended.")
        sys.exit(1)


def _read_profile(invocation: Invocation, name: str) -> Settings:
    environ = {key: text for key, text in invocation.environ.items() if key not in ADDRESSES}
    return load_settings({**environ, "HEADRACE_PROFILE": name})


def _locate(settings: Settings) -> str:
    return hide_password(settings.api_url or settings.database_url)


def _show(invocation: Invocation, done: list[Copied]) -> None:
    if not done:
        invocation.print(Text("There is nothing to copy.", "bright_black"))
        return
    columns = (
        Column("Kind"),
        Column("Copied", right=True),
        Column("Skipped", right=True),
        Column("Failed", right=True),
    )
    rows = [
        [f"{kind}s", *(str(counts[outcome]) for outcome in ("copied", "skipped", "failed"))]
        for kind, counts in count_outcomes(done).items()
    ]
    invocation.print(fit_table(columns, rows, invocation.out.width))
    for each in done:
        if each.outcome == "failed":
            line = Text("failed  ", "red").append(f"{each.kind} {one_line(each.name)}: ", "default")
            invocation.print_line(line.append(one_line(each.reason or ""), "default"))
