from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter
from msgspec import UNSET
from rich.text import Text

from headrace.base.errors import ConfigurationError, ObjectNotFound
from headrace.cli.details import show_details
from headrace.cli.invocation import Injected, Invocation, Output
from headrace.cli.lookup import read_id, read_pages
from headrace.cli.runs import Limit
from headrace.cli.tables import Column, fit_table
from headrace.cli.texts import one_line, say_instant, say_when
from headrace.schema.filters import TextFilter
from headrace.schema.run import Page
from headrace.schema.webhook import Webhook, WebhookCreate, WebhookFilter, WebhookUpdate

if TYPE_CHECKING:
    from headrace.gateway.administration import Administration

app = App(name="webhook", help_flags=["--help"])

Named = Annotated[str, Parameter(help="The webhook's name or ID.")]
Template = Annotated[
    str, Parameter(["--template", "-t"], help="What makes an event of a request, or @FILE to read it from a file.")
]
Description = Annotated[str | None, Parameter(["--description", "-d"], help="What it is for.")]


@app.command
def ls(*, limit: Limit = 200, output: Output = None, invocation: Injected) -> None:
    """List webhooks by name."""
    with invocation.administration() as administration:
        webhooks = read_pages(lambda page: administration.list_webhooks(page=page), limit)
    if output == "json":
        invocation.print_json(webhooks)
        return
    if not webhooks:
        text = "There are no webhooks yet: `headrace webhook create NAME --template TEMPLATE` makes one."
        invocation.print(Text(text, "bright_black"))
        return
    columns = (
        Column("Name", least=16),
        Column("On", least=3),
        Column("URL", least=40),
        Column("Description", drop=1),
        Column("Changed", drop=2),
    )
    rows = [
        [
            one_line(webhook.name),
            "yes" if webhook.enabled else "no",
            _write_url(invocation, webhook),
            one_line(webhook.description or ""),
            say_when(webhook.updated, invocation.now),
        ]
        for webhook in webhooks
    ]
    invocation.print(fit_table(columns, rows, invocation.out.width))


@app.command(alias="inspect")
def get(name: Named, /, *, output: Output = None, invocation: Injected) -> None:
    """Show a webhook."""
    with invocation.administration() as administration:
        webhook = _find(administration, name)
    if output == "json":
        invocation.print_json(webhook)
        return
    details: list[tuple[str, str | Text]] = [
        ("ID", str(webhook.id)),
        ("URL", _write_url(invocation, webhook)),
        ("On", "yes" if webhook.enabled else "no"),
        ("Description", one_line(webhook.description or "")),
        ("Created", say_instant(webhook.created, invocation.now)),
        ("Changed", say_instant(webhook.updated, invocation.now)),
    ]
    shown = [(name, text) for name, text in details if text]
    invocation.print(Text("Webhook ").append(one_line(webhook.name), "bold"), show_details(shown, indent=2))
    invocation.print("", webhook.template)


@app.command
def create(
    name: Annotated[str, Parameter(help="What it is called.")],
    /,
    *,
    template: Template,
    description: Description = None,
    output: Output = None,
    invocation: Injected,
) -> None:
    """Make a webhook: an address at which others tell something."""
    asked = WebhookCreate(name=name, template=_read_template(template), description=description)
    with invocation.administration() as administration:
        made = administration.create_webhook(asked)
    _show(invocation, made, output, f"Made webhook {one_line(made.name)}.")


@app.command
def rotate(name: Named, /, *, output: Output = None, invocation: Injected) -> None:
    """Give a webhook another address; at the former one nothing answers any more. Asks first, when run in a terminal."""
    with invocation.administration() as administration:
        webhook = _find(administration, name)
        if not invocation.confirm(f"Have webhook {one_line(webhook.name)} answer at another address only?"):
            raise ConfigurationError("Nothing was changed.")
        moved = administration.rotate_webhook(webhook.id)
    _show(invocation, moved, output, f"Webhook {one_line(moved.name)} answers at another address now.")


@app.command
def toggle(name: Named, /, *, invocation: Injected) -> None:
    """Turn a webhook off, or on again."""
    with invocation.administration() as administration:
        webhook = _find(administration, name)
        administration.update_webhook(webhook.id, WebhookUpdate(enabled=not webhook.enabled))
    invocation.print_line(f"Webhook {one_line(webhook.name)} is {'off' if webhook.enabled else 'on'}.")


@app.command
def update(
    name: Named,
    /,
    *,
    new_name: Annotated[str | None, Parameter(["--name", "-n"], help="Its new name.")] = None,
    template: Annotated[str | None, Parameter(["--template", "-t"], help="Its new template, or @FILE.")] = None,
    description: Description = None,
    invocation: Injected,
) -> None:
    """Change a webhook; its address stays."""
    if new_name is None and template is None and description is None:
        raise ConfigurationError("There is nothing to change: give --name, --template or --description.")
    change = WebhookUpdate(
        name=UNSET if new_name is None else new_name,
        template=UNSET if template is None else _read_template(template),
        description=UNSET if description is None else description or None,
    )
    with invocation.administration() as administration:
        webhook = _find(administration, name)
        administration.update_webhook(webhook.id, change)
    invocation.print_line(f"Changed webhook {one_line(webhook.name)}.")


@app.command
def delete(name: Named, /, *, invocation: Injected) -> None:
    """Delete a webhook. Asks first, when run in a terminal."""
    with invocation.administration() as administration:
        webhook = _find(administration, name)
        if not invocation.confirm(f"Delete webhook {one_line(webhook.name)}?"):
            raise ConfigurationError("Nothing was deleted.")
        administration.delete_webhook(webhook.id)
    invocation.print_line(f"Deleted webhook {one_line(webhook.name)}.")


def _find(administration: Administration, named: str) -> Webhook:
    """The webhook with this id, or of this name."""
    webhook_id = read_id(named)
    if webhook_id is not None:
        return administration.read_webhook(webhook_id)
    found = administration.list_webhooks(WebhookFilter(name=TextFilter(any_=[named])), Page(1))
    if not found:
        raise ObjectNotFound(f"There is no webhook called {named!r}.")
    return found[0]


def _read_template(text: str) -> str:
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigurationError(f"The template in {text[1:]} cannot be read: {said}.") from None


def _show(invocation: Invocation, webhook: Webhook, output: str | None, line: str) -> None:
    if output == "json":
        invocation.print_json(webhook)
        return
    invocation.print_line(line)
    invocation.print_line(f"  URL: {_write_url(invocation, webhook)}")


def _write_url(invocation: Invocation, webhook: Webhook) -> str:
    """Where a webhook is called: at the server in use, or at one that is started here."""
    settings = invocation.settings
    if settings.api_url is not None:
        server = settings.api_url.removesuffix("/api")
    else:
        server = f"http://{settings.server_api_host}:{settings.server_api_port}"
    return f"{server}/hooks/{webhook.slug}"
