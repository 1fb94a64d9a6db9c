"""The table of all commands in the docs: `python -m headrace.cli.reference` writes it into docs/cli.md."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from cyclopts import App
from msgspec import Struct

from headrace.cli.app import NOUNS, SPELLINGS, VERBS, make_app
from headrace.cli.invocation import Invocation

BEGIN = "<!-- commands: written by `python -m headrace.cli.reference` -->"
END = "<!-- end of commands -->"
PAGE = Path(__file__).parents[3] / "docs" / "cli.md"


class Command(Struct, frozen=True):
    """A command: its words, other names of its last word, what it takes by place, its options with all their spellings."""

    words: tuple[str, ...]
    aliases: tuple[str, ...]
    arguments: tuple[str, ...]
    options: tuple[tuple[str, ...], ...]
    summary: str

    @property
    def name(self) -> str:
        """The words in one text."""
        return " ".join(self.words)

    @property
    def flags(self) -> frozenset[str]:
        """Every spelling of every option."""
        return frozenset(spelling for option in self.options for spelling in option)


def list_commands(app: App | None = None, words: tuple[str, ...] = ()) -> Iterator[Command]:
    """All commands there are, noun by noun."""
    app = app or make_app(Invocation({}))
    spellings: dict[int, list[str]] = {}
    found: dict[int, App] = {}
    for name in app:
        if not name.startswith("-"):
            command = app[name]
            spellings.setdefault(id(command), []).append(name)
            found[id(command)] = command
    for key, command in found.items():
        name, *aliases = spellings[key]
        if command.default_command is None:
            yield from list_commands(command, (*words, name))
        else:
            yield _read_command(command, (*words, name), aliases)


def _read_command(command: App, words: tuple[str, ...], aliases: Sequence[str]) -> Command:
    arguments: list[str] = []
    options: list[tuple[str, ...]] = []
    for argument in command.assemble_argument_collection(parse_docstring=True):
        # The invocation is filled in, and a group's options are listed themselves.
        if argument.hint is Invocation or not argument.names or argument.names[0] == "*":
            continue
        if argument.names[0].startswith("-"):
            options.append(tuple(argument.names))
        else:
            name = argument.names[0].upper()
            arguments.append(name if argument.required else f"[{name}]")
    summary = re.split(r"(?<=\.)\s|\n\n", command.help or "", maxsplit=1)[0]
    return Command(words, tuple(aliases), tuple(arguments), tuple(options), " ".join(summary.split()))


def write_table() -> str:
    """The table, in Markdown, a heading for each noun."""
    commands = [*list_commands()]
    lines: list[str] = []
    for noun in sorted({*NOUNS, *VERBS}):
        own = [each for each in commands if each.words[0] == noun]
        others = [other for other, meant in SPELLINGS.items() if meant == noun and other != f"{noun}s"]
        also = f" Also `{'`, `'.join(others)}`." if others else ""
        lines += ["", f"### {noun}", "", f"{(NOUNS | VERBS)[noun]}{also}", ""]
        lines += ["| command | options | |", "|---|---|---|", *map(_write_row, own)]
    return "\n".join(lines).strip("\n")


def _write_row(command: Command) -> str:
    shown = " ".join([command.name, *command.arguments])
    also = "".join(f", `{alias}`" for alias in command.aliases)
    options = " ".join(f"`{' '.join(option)}`" for option in command.options)
    return f"| `{shown}`{also} | {options} | {command.summary.replace('|', chr(92) + '|')} |"


def fill_in(page: str) -> str:
    """The page with the table of commands as they are now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{write_table()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(fill_in(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PAGE.name} is written.\n")
