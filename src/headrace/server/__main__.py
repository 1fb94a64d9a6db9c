"""One server, in this process: `python -m headrace.server`. People use `headrace server start`, which checks first."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable

from headrace.base.errors import ConfigurationError, DatabaseError
from headrace.base.settings import SETTINGS, Settings, hide_password, load_settings
from headrace.connect import open_orchestrator
from headrace.server.app import build_app
from headrace.server.auth import Access, check_binding
from headrace.server.instances import register
from headrace.server.process import listen, serve, write_url
from headrace.server.routes.meta import About
from headrace.server.version import own_version


def run(settings: Settings, host: str, port: int, *, services: bool, announce: Callable[[str], None]) -> None:
    """Serve until a signal comes. `announce` is called with the address once requests are answered.

    Raises `ConfigurationError` or `DatabaseError`, in one sentence, when there can be no server.
    """
    access = Access(settings.server_api_key)
    check_binding(host, access)
    listener = listen(host, port)
    url = write_url(listener)
    database = hide_password(settings.database_url)
    try:
        orchestrator = open_orchestrator(settings)
        registration = register(settings.home, listener.getsockname()[1], url, own_version(), database)
        try:
            application = build_app(
                orchestrator.execution, orchestrator.administration, access, describe(settings, access)
            )
            loops = orchestrator.loops if services else ()
            serve(application, listener, loops, lambda: announce(url))
        finally:
            orchestrator.close()
            registration.close()
    finally:
        listener.close()


def describe(settings: Settings, access: Access) -> About:
    """What the server tells of itself."""
    return About(
        database=settings.database_url.partition("://")[0],
        needs_key=not access.is_open,
        settings={setting.env: setting.show(getattr(settings, setting.name)) for setting in SETTINGS},
    )


def configure_logging(level: str) -> None:
    """Say on stderr what the server has to say."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s | %(levelname)-7s | %(name)s - %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=level, handlers=[handler])
    # What its library says of itself is for those who look for its faults.
    logging.getLogger("uvicorn").setLevel("WARNING" if level != "DEBUG" else level)


def main() -> int:
    """Serve as the command line says; 1 with one sentence on stderr when that cannot be."""
    parser = argparse.ArgumentParser(prog="python -m headrace.server", description=__doc__)
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    parser.add_argument("--log-level", default="INFO")
    parser.add_argument("--no-services", action="store_true")
    parser.add_argument("--ready-fd", type=int, help="a descriptor to which the address is written once it answers")
    arguments = parser.parse_args()

    def announce(url: str) -> None:
        if arguments.ready_fd is None:
            print(f"Headrace {own_version()} answers at {url}. Ctrl-C stops it.", flush=True)
        else:
            with os.fdopen(arguments.ready_fd, "w") as ready:
                ready.write(url)

    try:
        settings = load_settings()
        configure_logging(arguments.log_level)
        host = arguments.host or settings.server_api_host
        port = settings.server_api_port if arguments.port is None else arguments.port
        run(settings, host, port, services=not arguments.no_services, announce=announce)
    except (ConfigurationError, DatabaseError) as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
