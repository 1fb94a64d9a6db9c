from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number
from msgspec import UNSET
from rich.text import Text

from headrace.base.errors import ConfigurationError, InvalidRequest, ObjectNotFound
from headrace.cli.details import show_details
from headrace.cli.invocation import Flag, Injected, Invocation, Output
from headrace.cli.lookup import CANDIDATES, read_pages, say_meant
from headrace.cli.places import say_slots
from headrace.cli.runs import Limit
from headrace.cli.tables import Column, fit_table
from headrace.cli.texts import one_line, say_instant, say_when
from headrace.cli.values import check_name
from headrace.schema.orchestration import ConcurrencyLimit, ConcurrencyLimitCreate, ConcurrencyLimitUpdate
from headrace.schema.wire import decode_json, encode_json

if TYPE_CHECKING:
    from headrace.gateway.administration import Administration

app = App(name="global-concurrency-limit", help_flags=["--help"])

Named = Annotated[str, Parameter(help="The limit's name, or its id.")]
Slots = Annotated[int, Parameter(["--limit", "-l"], validator=Number(gte=0), help="How many slots it has.")]
Decay = Annotated[
    float,
    Parameter(
        validator=Number(gte=0),
        help="How many slots fade in a second: then it limits a rate, and slots are never given back.",
    ),
]


@app.command
def create(
    name: Annotated[str, Parameter(help="The new limit's name.")],
    /,
    *,
    limit: Slots,
    disable: Annotated[Flag, Parameter(help="Let everything pass until it is enabled.")] = False,
    slot_decay_per_second: Decay = 0.0,
    invocation: Injected,
) -> None:
    """Create a limit, whose slots code takes with `concurrency` and `rate_limit`."""
    check_name(name, "limit")
    wanted = ConcurrencyLimitCreate(
        name=name, limit=limit, active=not disable, slot_decay_per_second=slot_decay_per_second
    )
    with invocation.administration() as administration:
        made = administration.create_concurrency_limit(wanted)
    invocation.print_line(f"Created limit {one_line(name)} with {_say_amount(made)}.")


@app.command
def ls(*, limit: Limit = 200, output: Output = None, invocation: Injected) -> None:
    """List limits by name, those on tags and on deployments among them."""
    with invocation.administration() as administration:
        found = read_pages(administration.list_concurrency_limits, limit)
    if output == "json":
        invocation.print_json(found)
        return
    if not found:
        text = "There are no limits yet: `headrace global-concurrency-limit create` makes one."
        invocation.print(Text(text, "bright_black"))
        return
    columns = (
        Column("Name", least=24),
        Column("Active"),
        Column("Slots", right=True),
        Column("Decay", right=True),
        Column("Changed", drop=1),
        Column("ID", drop=2),
    )
    rows: list[list[str | Text]] = [
        [
            one_line(each.name),
            _show_active(each),
            say_slots(each.active_slots, each.limit),
            _say_decay(each),
            say_when(each.updated, invocation.now),
            str(each.id),
        ]
        for each in found
    ]
    invocation.print(fit_table(columns, rows, invocation.out.width))


@app.command
def inspect(name: Named, /, *, output: Output = None, invocation: Injected) -> None:
    """Show a limit, and who holds its slots."""
    with invocation.administration() as administration:
        found = find_limit(administration, name)
        holders = administration.list_slot_holders(found.name)
    if output == "json":
        invocation.print_json({**decode_json(encode_json(found)), "holders": holders})
        return
    details: list[tuple[str, str | Text]] = [
        ("ID", str(found.id)),
        ("Active", _show_active(found)),
        ("Slots", say_slots(found.active_slots, found.limit)),
        ("Decay", _say_decay(found) or "none"),
        ("Created", say_instant(found.created, invocation.now)),
        ("Changed", say_instant(found.updated, invocation.now)),
        *(("Held by" if not place else "", str(holder)) for place, holder in enumerate(holders)),
    ]
    invocation.print(Text("Limit ").append(one_line(found.name), "bold"), show_details(details, indent=2))


@app.command
def update(
    name: Named,
    /,
    *,
    limit: Slots | None = None,
    enable: Annotated[bool | None, Parameter(negative="--disable", help="Whether it limits anything.")] = None,
    slot_decay_per_second: Decay | None = None,
    invocation: Injected,
) -> None:
    """Change a limit; what is not named stays as it is."""
    if limit is None and enable is None and slot_decay_per_second is None:
        raise InvalidRequest("Say what to change: --limit, --enable, --disable or --slot-decay-per-second.")
    change = ConcurrencyLimitUpdate(
        limit=UNSET if limit is None else limit,
        active=UNSET if enable is None else enable,
        slot_decay_per_second=UNSET if slot_decay_per_second is None else slot_decay_per_second,
    )
    changed = _update(invocation, name, change)
    invocation.print_line(f"Limit {one_line(changed.name)} has {_say_amount(changed)}.")


@app.command
def enable(name: Named, /, *, invocation: Injected) -> None:
    """Let a limit hold again."""
    changed = _update(invocation, name, ConcurrencyLimitUpdate(active=True))
    invocation.print_line(f"Limit {one_line(changed.name)} has {_say_amount(changed)}.")


@app.command
def disable(name: Named, /, *, invocation: Injected) -> None:
    """Let everything pass a limit, until it is enabled."""
    changed = _update(invocation, name, ConcurrencyLimitUpdate(active=False))
    invocation.print_line(f"Limit {one_line(changed.name)} has {_say_amount(changed)}.")


@app.command
def delete(name: Named, /, *, invocation: Injected) -> None:
    """Delete a limit: what it held back goes on. Asks first, when run in a terminal."""
    with invocation.administration() as administration:
        found = find_limit(administration, name)
        if not invocation.confirm(f"Delete limit {one_line(found.name)}?"):
            raise ConfigurationError("Nothing was deleted.")
        administration.delete_concurrency_limit(found.name)
    invocation.print_line(f"Deleted limit {one_line(found.name)}.")


def find_limit(administration: Administration, named: str, prefix: str = "", noun: str = "limit") -> ConcurrencyLimit:
    """The limit that is called `prefix` and this, or has it for its id.

    Raises `ObjectNotFound`, which says what may have been meant.
    """
    try:
        return administration.read_concurrency_limit(prefix + named)
    except ObjectNotFound:
        known = read_pages(lambda page: administration.list_concurrency_limits(page, prefix), CANDIDATES)
        names = {name: name for name in (each.name.removeprefix(prefix) for each in known)}
        raise ObjectNotFound(f"There is no {noun} {named!r}{say_meant(named, names)}") from None


def _update(invocation: Invocation, named: str, change: ConcurrencyLimitUpdate) -> ConcurrencyLimit:
    with invocation.administration() as administration:
        found = find_limit(administration, named)
        administration.update_concurrency_limit(found.name, change)
        return administration.read_concurrency_limit(found.name)


def _show_active(limit: ConcurrencyLimit) -> Text:
    return Text("yes", "green") if limit.active else Text("no", "magenta")


def _say_decay(limit: ConcurrencyLimit) -> str:
    return f"{limit.slot_decay_per_second:g}/s" if limit.slot_decay_per_second else ""


def _say_amount(limit: ConcurrencyLimit) -> str:
    amount = f"{limit.limit} slot{'' if limit.limit == 1 else 's'}"
    fading = f", of which {limit.slot_decay_per_second:g} fade in a second" if limit.slot_decay_per_second else ""
    return f"{amount}{fading}{'' if limit.active else '; it is disabled'}"
