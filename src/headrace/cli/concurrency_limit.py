from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number
from rich.text import Text

from headrace.base.errors import ConfigurationError, InvalidRequest, ObjectAlreadyExists
from headrace.cli.details import show_details
from headrace.cli.global_concurrency_limit import find_limit
from headrace.cli.invocation import Injected, Output
from headrace.cli.lookup import read_pages
from headrace.cli.places import say_slots
from headrace.cli.runs import Limit
from headrace.cli.tables import Column, fit_table
from headrace.cli.texts import one_line, say_instant, say_when
from headrace.rules.slots import TAG_LIMIT
from headrace.schema.orchestration import ConcurrencyLimitCreate, ConcurrencyLimitUpdate
from headrace.schema.wire import decode_json, encode_json

app = App(name="concurrency-limit", help_flags=["--help"])

Tag = Annotated[str, Parameter(help="The tag.")]
NOUN = "limit on tag"


@app.command
def create(
    tag: Tag,
    limit: Annotated[int, Parameter(validator=Number(gte=0), help="How many task runs with it may run at once.")],
    /,
    *,
    invocation: Injected,
) -> None:
    """Limit how many task runs with a tag run at once; a limit that there is gets this number."""
    if not tag.strip():
        raise InvalidRequest("A tag is no empty text.")
    name = TAG_LIMIT + tag
    with invocation.administration() as administration:
        try:
            administration.create_concurrency_limit(ConcurrencyLimitCreate(name=name, limit=limit))
        except ObjectAlreadyExists:
            administration.update_concurrency_limit(name, ConcurrencyLimitUpdate(limit=limit))
    invocation.print_line(f"Of task runs with the tag {one_line(tag)}, at most {limit} run at once.")


@app.command
def ls(*, limit: Limit = 200, output: Output = None, invocation: Injected) -> None:
    """List the limits on tags, by tag."""
    with invocation.administration() as administration:
        found = read_pages(lambda page: administration.list_concurrency_limits(page, TAG_LIMIT), limit)
    if output == "json":
        invocation.print_json(found)
        return
    if not found:
        text = "There are no limits on tags yet: `headrace concurrency-limit create TAG LIMIT` makes one."
        invocation.print(Text(text, "bright_black"))
        return
    columns = (Column("Tag", least=24), Column("Slots", right=True), Column("Changed", drop=1), Column("ID", drop=2))
    rows = [
        [
            one_line(each.name.removeprefix(TAG_LIMIT)),
            say_slots(each.active_slots, each.limit),
            say_when(each.updated, invocation.now),
            str(each.id),
        ]
        for each in found
    ]
    invocation.print(fit_table(columns, rows, invocation.out.width))


@app.command
def inspect(tag: Tag, /, *, output: Output = None, invocation: Injected) -> None:
    """Show the limit on a tag, and which task runs hold its slots."""
    with invocation.administration() as administration:
        found = find_limit(administration, tag, TAG_LIMIT, NOUN)
        holders = administration.list_slot_holders(found.name)
    if output == "json":
        invocation.print_json({**decode_json(encode_json(found)), "tag": tag, "holders": holders})
        return
    details: list[tuple[str, str | Text]] = [
        ("ID", str(found.id)),
        ("Slots", say_slots(found.active_slots, found.limit)),
        ("Created", say_instant(found.created, invocation.now)),
        ("Changed", say_instant(found.updated, invocation.now)),
        *(("Task runs" if not place else "", str(holder)) for place, holder in enumerate(holders)),
    ]
    invocation.print(Text("Limit on tag ").append(one_line(tag), "bold"), show_details(details, indent=2))


@app.command
def reset(tag: Tag, /, *, invocation: Injected) -> None:
    """Take all slots of a tag from those who hold them; what runs goes on. Asks first, when run in a terminal."""
    with invocation.administration() as administration:
        found = find_limit(administration, tag, TAG_LIMIT, NOUN)
        if not invocation.confirm(f"Take all slots of tag {one_line(tag)} from those who hold them?"):
            raise ConfigurationError("Nothing was changed.")
        administration.reset_concurrency_limit(found.name, [])
    invocation.print_line(f"All slots of tag {one_line(tag)} are free.")


@app.command
def delete(tag: Tag, /, *, invocation: Injected) -> None:
    """Delete the limit on a tag: what it held back goes on. Asks first, when run in a terminal."""
    with invocation.administration() as administration:
        found = find_limit(administration, tag, TAG_LIMIT, NOUN)
        if not invocation.confirm(f"Delete the limit on tag {one_line(tag)}?"):
            raise ConfigurationError("Nothing was deleted.")
        administration.delete_concurrency_limit(found.name)
    invocation.print_line(f"Deleted the limit on tag {one_line(tag)}.")
