from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from headrace.base.errors import ConfigurationError
from headrace.cli.invocation import Injected


def install_completion(
    *,
    shell: Annotated[
        Literal["bash", "fish", "powershell", "zsh"] | None,
        Parameter(help="The shell. [default: the one this is typed in]"),
    ] = None,
    output: Annotated[
        Path | None, Parameter(["--output", "-o"], help="Write the script to this file, and change nothing else.")
    ] = None,
    invocation: Injected,
) -> None:
    """Have the shell complete commands and options: write its script, and have it loaded when the shell starts."""
    from cyclopts.completion.detect import ShellDetectionError, detect_shell

    from headrace.cli.app import make_app

    try:
        chosen = shell or detect_shell()
    except ShellDetectionError:
        raise ConfigurationError("It cannot be told which shell this is: name it with --shell.") from None
    app = make_app(invocation)
    try:
        path = app.install_completion(shell=chosen, output=output, add_to_startup=output is None)
    except OSError as error:
        raise ConfigurationError(f"The completion cannot be written to {error.filename}: {error.strerror}.") from None
    invocation.print_line(f"The completion for {chosen} is in {path}.")
    if output is None:
        invocation.print_line("It works in shells that are started from now on.")
