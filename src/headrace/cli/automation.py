from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast
from uuid import UUID

import msgspec
from cyclopts import App, Parameter
from rich.text import Text

from headrace.base.errors import ConfigurationError, InvalidRequest, ObjectNotFound
from headrace.cli.details import show_details
from headrace.cli.invocation import Injected, Invocation, Output
from headrace.cli.lookup import read_id, read_pages
from headrace.cli.mail import warn_of_mail
from headrace.cli.runs import Limit
from headrace.cli.tables import Column, fit_table
from headrace.cli.texts import one_line, say_duration, say_instant, say_when, show_tags
from headrace.cli.values import read_object
from headrace.schema.action import Actions
from headrace.schema.automation import (
    Automation,
    AutomationCreate,
    AutomationFilter,
    AutomationPartialUpdate,
    AutomationUpdate,
)
from headrace.schema.filters import TextFilter
from headrace.schema.run import Page
from headrace.schema.trigger import AnyTrigger, EventTrigger, MetricTrigger, Posture, SequenceTrigger
from headrace.schema.wire import encode_json

if TYPE_CHECKING:
    from headrace.gateway.administration import Administration

app = App(name="automation", help_flags=["--help"])

Named = Annotated[str | None, Parameter(help="The automation's name or id.")]
ById = Annotated[UUID | None, Parameter(name="--id", help="The automation's id, instead of its name.")]
File = Annotated[
    Path | None,
    Parameter(
        name=["--from-file", "-f"], help="A .yaml or .json file that says what it is; several of them as `automations`."
    ),
]
Written = Annotated[str | None, Parameter(name=["--from-json", "-j"], help="What it is, as a JSON object.")]


@app.command
def create(*, from_file: File = None, from_json: Written = None, output: Output = None, invocation: Injected) -> None:
    """Make automations, which act on what happens from now on."""
    wanted = [convert(each, AutomationCreate) for each in read_written(from_file, from_json)]
    with invocation.administration() as administration:
        made = [administration.create_automation(each) for each in wanted]
    warn_of_mail(invocation, made)
    if output == "json":
        invocation.print_json(made if len(made) > 1 else made[0])
        return
    for each in made:
        invocation.print_line(f"Created: automation {one_line(each.name)} ({each.id}).")


@app.command
def update(
    name: Named = None,
    /,
    *,
    id: ById = None,  # noqa: A002 - the option is called so
    from_file: File = None,
    from_json: Written = None,
    invocation: Injected,
) -> None:
    """Say anew what an automation is: all of it."""
    written = read_written(from_file, from_json)
    if len(written) != 1:
        raise InvalidRequest(f"An automation is one thing; {len(written)} are written there.")
    wanted = convert({key: value for key, value in written[0].items() if key != "owner_resource"}, AutomationUpdate)
    with invocation.administration() as administration:
        found = find(administration, name, id)
        administration.update_automation(found.id, wanted)
    warn_of_mail(invocation, [wanted])
    invocation.print_line(f"Updated: automation {one_line(wanted.name)}.")


@app.command
def ls(*, limit: Limit = 200, output: Output = None, invocation: Injected) -> None:
    """List automations by name."""
    with invocation.administration() as administration:
        found = read_pages(lambda page: administration.list_automations(page=page), limit)
    if output == "json":
        invocation.print_json(found)
        return
    if not found:
        text = "There are no automations yet: `headrace automation create -f FILE` makes one."
        invocation.print(Text(text, "bright_black"))
        return
    columns = (
        Column("Name", least=20),
        Column("Enabled"),
        Column("When", least=24),
        Column("Then", least=16),
        Column("Tags", drop=2),
        Column("Changed", drop=1),
    )
    rows = [
        [
            one_line(each.name),
            say_enabled(each),
            one_line(say_trigger(each.trigger)),
            say_actions([*each.actions, *each.actions_on_trigger, *each.actions_on_resolve]),
            show_tags(each.tags),
            say_when(each.updated, invocation.now),
        ]
        for each in found
    ]
    invocation.print(fit_table(columns, rows, invocation.out.width))


@app.command
def inspect(
    name: Named = None,
    /,
    *,
    id: ById = None,  # noqa: A002 - the option is called so
    yaml: Annotated[bool, Parameter(negative=(), show_default=False, help="As a file that `create` takes.")] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative=(), show_default=False, help="As -o json.")] = False,
    output: Output = None,
    invocation: Injected,
) -> None:
    """Show an automation."""
    with invocation.administration() as administration:
        found = find(administration, name, id)
    if output == "json" or as_json:
        invocation.print_json(found)
        return
    if yaml:
        invocation.out.file.write(write_yaml(found))
        return
    details: list[tuple[str, str | Text]] = [
        ("ID", str(found.id)),
        ("Enabled", say_enabled(found)),
        ("Description", one_line(found.description)),
        ("When", one_line(say_trigger(found.trigger))),
        ("Then", show_actions(found.actions)),
        ("On trigger", show_actions(found.actions_on_trigger)),
        ("On resolve", show_actions(found.actions_on_resolve)),
        ("Owner", one_line(found.owner_resource or "")),
        ("Tags", show_tags(found.tags)),
        ("Created", say_instant(found.created, invocation.now)),
        ("Changed", say_instant(found.updated, invocation.now)),
    ]
    shown = [(title, text) for title, text in details if text]
    invocation.print(Text("Automation ").append(one_line(found.name), "bold"), show_details(shown, indent=2))


@app.command
def pause(
    name: Named = None,
    /,
    *,
    id: ById = None,  # noqa: A002 - the option is called so
    invocation: Injected,
) -> None:
    """Let an automation act on nothing, until it is resumed."""
    _enable(invocation, name, id, False, "Paused")


@app.command
def resume(
    name: Named = None,
    /,
    *,
    id: ById = None,  # noqa: A002 - the option is called so
    invocation: Injected,
) -> None:
    """Let an automation act again, on what happens from now on."""
    _enable(invocation, name, id, True, "Resumed")


@app.command
def delete(
    name: Named = None,
    /,
    *,
    id: ById = None,  # noqa: A002 - the option is called so
    every: Annotated[
        bool, Parameter(name="--all", negative=(), show_default=False, help="Delete all automations.")
    ] = False,
    invocation: Injected,
) -> None:
    """Delete an automation. Asks first, when run in a terminal."""
    with invocation.administration() as administration:
        if every and (name is not None or id is not None):
            raise InvalidRequest("Say either --all or which one.")
        if every:
            found = read_pages(lambda page: administration.list_automations(page=page))
        else:
            found = [find(administration, name, id)]
        what = f"all {len(found)} automations" if every else f"automation {one_line(found[0].name)}"
        if not invocation.confirm(f"Delete {what}?"):
            raise ConfigurationError("Nothing was deleted.")
        for each in found:
            administration.delete_automation(each.id)
    invocation.print_line(f"Deleted {what}.")


def find(administration: Administration, named: str | None, id_: UUID | None) -> Automation:
    """The automation with an id, or the only one of a name. Raises `ObjectNotFound`, `InvalidRequest` for several."""
    if (named is None) is (id_ is None):
        raise InvalidRequest("Name an automation, or say its --id.")
    known = id_ if named is None else read_id(named)
    if known is not None:
        return administration.read_automation(known)
    wanted = AutomationFilter(name=TextFilter(any_=[named or ""]))
    found = administration.list_automations(wanted, page=Page(2))
    if not found:
        raise ObjectNotFound(f"There is no automation called {named!r}.")
    if len(found) > 1:
        raise InvalidRequest(f"Several automations are called {named!r}: say the --id of one.")
    return found[0]


def read_written(file: Path | None, text: str | None) -> list[dict[str, Any]]:
    """What a file or a JSON text says: one automation, or those in its `automations`."""
    if (file is None) is (text is None):
        raise InvalidRequest("Say what it is to be: --from-file FILE or --from-json TEXT.")
    if file is not None:
        from headrace.projects.documents import read_document

        written = read_document(file, str(file)).value
    else:
        written = read_object(text or "", "--from-json")
    listed: Any = written.get("automations", [written])
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in cast("list[Any]", listed)):
        raise InvalidRequest("automations is a list of automations.")
    if not listed:
        raise InvalidRequest("No automation is written there.")
    return cast("list[dict[str, Any]]", listed)


def convert(written: dict[str, Any], kind: type[Any]) -> Any:
    """What is written, as a request. Raises `InvalidRequest` in one line."""
    from headrace.projects.triggers import settle_triggers

    plain = {key: value for key, value in written.items() if key not in {"id", "created", "updated"}}
    if "trigger" in plain:
        plain["trigger"] = settle_triggers([plain["trigger"]])[0]
    plain.setdefault("actions", [])
    try:
        return msgspec.convert(plain, kind, strict=False)
    except msgspec.ValidationError as error:
        name = written.get("name")
        what = one_line(name) if isinstance(name, str) else "This"
        raise InvalidRequest(f"{what} is no automation: {error}.") from None


def write_yaml(found: Automation) -> str:
    """An automation as a file that makes one like it."""
    import yaml

    told = msgspec.to_builtins(found)
    plain = {key: told[key] for key in told if key not in {"id", "created", "updated"} and told[key] is not None}
    plain["trigger"] = _without_ids(plain["trigger"])
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)


def say_enabled(found: Automation) -> Text:
    """Whether an automation acts."""
    return Text("yes", "green") if found.enabled else Text("paused", "magenta")


def say_trigger(trigger: AnyTrigger) -> str:
    """What a trigger waits for, in a line."""
    if isinstance(trigger, EventTrigger):
        names = ", ".join(trigger.expect) or "any event"
        after = f" after {', '.join(trigger.after)}" if trigger.after else ""
        within = f" within {say_duration(float(cast('float', trigger.within)))}" if trigger.within else ""
        times = f" {trigger.threshold} times" if trigger.threshold > 1 else ""
        return f"{'no ' if trigger.posture == Posture.Proactive else ''}{names}{times}{after}{within}"
    if isinstance(trigger, MetricTrigger):
        query = trigger.metric
        return f"{query.name} {query.operator} {query.threshold:g}"
    joint = ", then " if isinstance(trigger, SequenceTrigger) else " and "
    if not isinstance(trigger, SequenceTrigger) and trigger.require != "all":
        joint = " or " if trigger.require in {"any", 1} else f" ({trigger.require} of them) "
    return joint.join(f"({say_trigger(each)})" for each in trigger.triggers)


def say_actions(actions: Actions) -> str:
    """The kinds of some actions, in a line."""
    return ", ".join(dict.fromkeys(kind_of(each) for each in actions)) or "nothing"


def show_actions(actions: Actions) -> str:
    """Actions, one below the other."""
    lines: list[str] = []
    for action in actions:
        told = msgspec.to_builtins(action)
        said = {key: value for key, value in told.items() if key != "type" and value not in (None, "", 0.0)}
        lines.append(f"{told['type']} {encode_json(said) if said else ''}".strip())
    return "\n".join(map(one_line, lines))


def kind_of(action: Any) -> str:
    """What an action is called."""
    return str(action.__struct_config__.tag)


def _without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {key: _without_ids(each) for key, each in items if key != "id"}
    return [_without_ids(each) for each in cast("list[Any]", value)] if isinstance(value, list) else value


def _enable(invocation: Invocation, name: str | None, automation_id: UUID | None, enabled: bool, done: str) -> None:
    with invocation.administration() as administration:
        found = find(administration, name, automation_id)
        administration.enable_automation(found.id, AutomationPartialUpdate(enabled=enabled))
    invocation.print_line(f"{done}: automation {one_line(found.name)}.")
