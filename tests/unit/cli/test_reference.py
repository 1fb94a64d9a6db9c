"""The page about the command line: its table of commands, what is left out, and that every wanted command is one of both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import get_args

import pytest

from headrace.cli import reference
from headrace.cli.app import NOUNS, make_app
from headrace.cli.invocation import Invocation
from headrace.cli.reference import Command, fill_in, list_commands
from tests.unit.cli.conftest import Machine

WANTED = """
version --omit-integrations
init --name --recipe -f
deploy -n -d -p -q -t --version --version-type --job-variable --cron --interval --anchor-date --rrule --timezone --trigger
deploy --param --params --concurrency-limit --collision-strategy --enforce-parameter-schema --all --prefect-file --sla
flow ls --limit
flow serve -n -v -t --cron --interval --rrule --timezone --limit --global-limit --pause-on-shutdown
flow-run inspect --web -o
flow-run ls --flow-name --state --state-type --limit -o
flow-run delete
flow-run cancel
flow-run why -o
flow-run retry -e
flow-run logs -h -n -r -t
flow-run watch --timeout
flow-run execute --id
deployment ls --flow-name --by-created -o
deployment inspect -o
deployment delete --id --all
deployment run --id -p --param --params --job-variable --start-in --start-at --tag --watch --watch-interval --watch-timeout
deployment run --flow-run-name
deployment schedule create --cron --day-or --interval --anchor-date --rrule --timezone --active --replace -y
deployment schedule create --catchup --max-lateness --overlap
deployment schedule delete -y
deployment schedule pause --all
deployment schedule resume --all
deployment schedule ls -o
deployment schedule clear -y
work-pool create -t --base-job-template --paused --set-as-default --provision-infrastructure --overwrite
work-pool ls -v -o
work-pool inspect -o
work-pool slots -o
work-pool preview -h -o
work-pool pause
work-pool resume
work-pool delete
work-pool update --base-job-template --concurrency-limit --description
work-pool set-concurrency-limit
work-pool clear-concurrency-limit
work-pool get-default-base-job-template -t -f
work-pool provision-infrastructure
work-pool storage
work-queue create -l -p -q
work-queue ls -p -m -o
work-queue inspect -p -o
work-queue pause -p
work-queue resume -p
work-queue delete -p
work-queue slots -p -o
work-queue preview -p -h -o
work-queue read-runs -p
work-queue set-concurrency-limit -p
work-queue clear-concurrency-limit -p
worker start -n -p -q -t -l --prefetch-seconds --run-once --with-healthcheck --install-policy --base-job-template
worker start --create-pool-if-not-found
task serve -m --limit
task-run inspect --web -o
task-run ls --task-run-name --state --state-type --limit -o
task-run logs
block register -m -f
block ls -o
block inspect --id -o
block create
block delete --id
block type ls -o
block type inspect -o
block type delete
variable set --overwrite --tag
variable get
variable inspect -o
variable ls -o
variable unset
variable delete
concurrency-limit create
concurrency-limit inspect -o
concurrency-limit ls -o
concurrency-limit reset
concurrency-limit delete
global-concurrency-limit create -l --disable --active-slots --slot-decay-per-second
global-concurrency-limit ls -o
global-concurrency-limit inspect -o
global-concurrency-limit update -l --enable --disable --active-slots --slot-decay-per-second
global-concurrency-limit enable
global-concurrency-limit disable
global-concurrency-limit delete
artifact ls -a --limit -o
artifact inspect --limit -o
artifact delete --id
automation create -f -j -o
automation update --id -f -j
automation ls -o
automation inspect --id --yaml --json -o
automation pause --id
automation resume --id
automation delete --id --all
webhook ls -o
webhook get -o
webhook create -d -t -o
webhook rotate -o
webhook toggle
webhook update -d -t -n
webhook delete
events stream --format --output-file --account --run-once
events emit -r --resource-id --related -p
server start --host --port --log-level --keep-alive-timeout --scheduler --late-runs --analytics-on --ui --no-services -b
server start --workers --services-only
server status --wait -t -o
server stop --port
server database upgrade -y -r --dry-run
server database downgrade -y -r --dry-run
server database reset -y
server database stamp
server database backup
server database check -o
server database revision
server services ls -o
server services start -b
server services stop
server services manager
config set
config unset
config view --show-defaults --show-sources --show-secrets
config validate
profile ls
profile create --from
profile use
profile delete
profile rename
profile inspect
profile populate-defaults
shell watch --log-output --flow-run-name --flow-name --tag --stream-stdout
shell serve --deployment-name --cron-schedule --timezone --concurrency-limit --run-once --tag --log-output --stream-stdout
api --data -H -v --root --account
transfer --from --to
sdk generate -o -f -d
experimental result-storage
experimental plugins
plugins diagnose
dashboard open
dev
cloud
"""
"""What people know from other command lines of this kind: each works here, or is left out for a reason."""

COMMANDS = [*list_commands()]


def spell_out(command: Command) -> list[str]:
    """The command by each of its names."""
    return [" ".join([*command.words[:-1], name]) for name in (command.words[-1], *command.aliases)]


FLAGS = {name: command.flags for command in COMMANDS for name in spell_out(command)}


def read_left_out() -> dict[str, str]:
    """What the page says is left out, and why."""
    page = reference.PAGE.read_text(encoding="utf-8").partition("## What is left out")[2]
    return dict(re.findall(r"^\| `([^`]+)` \| (.*) \|$", page, re.MULTILINE))


LEFT_OUT = read_left_out()


def split(line: str) -> tuple[str, list[str]]:
    words = line.split()
    return " ".join(word for word in words if not word.startswith("-")), [word for word in words if word[0] == "-"]


@pytest.mark.parametrize("line", WANTED.strip().splitlines())
def test_what_is_wanted_works_or_is_left_out_for_a_reason(line: str) -> None:
    name, flags = split(line)
    if name not in FLAGS:
        assert name in LEFT_OUT
        return
    for flag in flags:
        assert (flag in FLAGS[name]) is not (f"{name} {flag}" in LEFT_OUT), flag


@pytest.mark.parametrize("row", LEFT_OUT)
def test_what_is_left_out_has_a_reason_and_is_refused(machine: Machine, row: str) -> None:
    assert len(LEFT_OUT[row]) > 10
    name, flags = split(row)
    if not flags:
        assert not any(f"{known} ".startswith(f"{name} ") for known in FLAGS)
        machine.fail(*name.split())
        return
    assert flags[0] not in FLAGS[name]


def test_the_table_of_commands_is_up_to_date() -> None:
    page = reference.PAGE.read_text(encoding="utf-8")
    assert page == fill_in(page), "run `python -m headrace.cli.reference`"


def test_every_command_has_a_summary_and_every_listing_has_json() -> None:
    assert {command.words[0] for command in COMMANDS} >= set(NOUNS)
    for command in COMMANDS:
        assert command.summary, command.name
        if command.words[-1] in {"ls", "inspect", "slots", "preview", "view", "status"}:
            assert {"-o", "--output"} <= command.flags, command.name


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_refuses_what_it_does_not_know_in_one_line(machine: Machine, command: Command) -> None:
    said = machine.fail(*command.words, *_fill_in(command), "--nonsense=1")
    assert "--nonsense" in said or "requires an argument" in said


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.arguments], ids=lambda command: command.name)
def test_every_command_misses_its_arguments_in_one_line(machine: Machine, command: Command) -> None:
    if not command.arguments[0].startswith("["):
        machine.fail(*command.words)


BAD = ["", "\x1b[2J", "é/ü", "a" * 400, "--", "\ud800", "00000000-0000-0000-0000-000000000000"]
NAMING = {"inspect", "delete", "pause", "resume", "logs", "slots", "enable", "reset", "execute", "clear"}


@pytest.mark.parametrize(
    "command", [each for each in COMMANDS if each.words[-1] in NAMING], ids=lambda command: command.name
)
def test_no_name_makes_a_command_show_where_it_failed(machine: Machine, command: Command) -> None:
    """What names nothing is said in one line; a profile may be left out, and then the one in use is shown."""
    for bad in BAD:
        ended = machine.type(*command.words, bad)
        assert "Traceback" not in ended.err
        assert "unforeseen" not in ended.err
        assert ended.err.count("\n") == (ended.code != 0), (bad, ended)
        assert "\x1b" not in ended.out + ended.err


def list_whole_numbers() -> Iterator[tuple[Command, str, int | None]]:
    """Every option and argument that is a whole number, and its place if it has one."""
    for command in COMMANDS:
        app = make_app(Invocation({}))
        for word in command.words:
            app = app[word]
        for place, argument in enumerate(app.assemble_argument_collection()):
            if argument.hint is int or int in get_args(argument.hint):
                yield command, argument.names[0], None if argument.names[0].startswith("-") else place


WHOLE_NUMBERS = [*list_whole_numbers()]


def test_there_are_whole_numbers() -> None:
    known = {f"{command.name} {name}" for command, name, _ in WHOLE_NUMBERS}
    assert known > {"flow-run ls --limit", "concurrency-limit create LIMIT", "deploy --concurrency-limit"}


@pytest.mark.parametrize("written", ["2.7", "2.0", "0x10", "1_000", " 1", "٣"])
@pytest.mark.parametrize(
    ("command", "name", "place"), WHOLE_NUMBERS, ids=lambda value: getattr(value, "name", str(value))
)
def test_every_whole_number_is_written_as_one(
    machine: Machine, command: Command, name: str, place: int | None, written: str
) -> None:
    words = _fill_in(command)
    if place is None:
        words.append(f"{name}={written}")
    else:
        words[place] = written
    assert machine.fail(*command.words, *words) == f"Error: {name} {written!r} is no whole number."


def _fill_in(command: Command) -> list[str]:
    return ["1" for argument in command.arguments if not argument.startswith("[")]
