from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import Annotated

from cyclopts import Parameter

from headrace.base.settings import hide_password
from headrace.cli.details import show_details
from headrace.cli.invocation import Flag, Injected, Output

INTEGRATIONS = {"dask": "distributed", "ray": "ray", "fsspec": "fsspec", "postgres": "psycopg"}
"""The extras of Headrace, each with the package that it brings."""


def version(
    *,
    omit_integrations: Annotated[Flag, Parameter(help="Leave out which extras are installed.")] = False,
    output: Output = None,
    invocation: Injected,
) -> None:
    """Show versions, the profile and the database in use. Opens neither network nor database."""
    settings = invocation.settings
    facts: dict[str, str | None] = {
        "version": installed_version("headrace"),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "executable": sys.executable,
        "profile": settings.profile,
        "server_type": "server" if settings.api_url else "embedded",
    }
    if settings.api_url:
        facts["api_url"] = hide_password(settings.api_url)
    else:
        facts["database"] = settings.database_url.partition("://")[0]
        facts["database_url"] = hide_password(settings.database_url)
        if facts["database"] == "sqlite":
            import sqlite3

            facts["sqlite"] = sqlite3.sqlite_version
    integrations = {} if omit_integrations else _find_integrations()
    if output == "json":
        invocation.print_json(facts if omit_integrations else {**facts, "integrations": integrations})
    else:
        facts |= (
            {"integrations": ", ".join(f"{name} {text}" for name, text in integrations.items())} if integrations else {}
        )
        titles = {"api_url": "API", "database_url": "Database URL", "sqlite": "SQLite"}
        invocation.print(
            show_details(
                [(titles.get(name, name.replace("_", " ").capitalize()), text or "") for name, text in facts.items()]
            )
        )


def _find_integrations() -> dict[str, str]:
    """The extras that are installed, with the versions of what they brought."""
    found: dict[str, str] = {}
    for name, package in INTEGRATIONS.items():
        try:
            found[name] = installed_version(package)
        except PackageNotFoundError:
            continue
    return found
