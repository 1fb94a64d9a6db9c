"""One server, in this process: `python -m headrace.server`. People use `headrace server start`, which checks first."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from headrace.base.errors import ConfigurationError, DatabaseError
from headrace.base.settings import SETTINGS, Settings, hide_password, load_settings
from headrace.connect import Orchestrator, open_orchestrator
from headrace.server.instances import SERVICES, register
from headrace.server.log_lines import configure_logging
from headrace.server.signals import Signals
from headrace.server.version import own_version

if TYPE_CHECKING:
    from headrace.server.auth import Access
    from headrace.server.routes.meta import About

Announce = Callable[[str], None]


def serve_on(
    listener: socket.socket, settings: Settings, *, services: bool, keep_alive: float, ready: Announce
) -> None:
    """Serve on a socket until a signal comes. `ready` is called with the address once requests are answered."""
    from headrace.server.app import build_app
    from headrace.server.auth import Access
    from headrace.server.process import serve, write_url

    access, url = Access(settings.server_api_key), write_url(listener)
    orchestrator = open_orchestrator(settings, f"{url} (process {os.getpid()} on {socket.gethostname()})", url)
    try:
        application = build_app(
            orchestrator.execution,
            orchestrator.administration,
            access,
            describe(settings, access),
            orchestrator.measure,
        )
        loops = [orchestrator.loops] if services and orchestrator.loops else []
        serve(application, listener, loops, lambda: ready(url), keep_alive, orchestrator.hurry)
    finally:
        orchestrator.close()


def run(arguments: argparse.Namespace, settings: Settings, announce: Announce) -> None:
    """Serve, alone or with others on the same socket. Raises `ConfigurationError` or `DatabaseError`, in one sentence."""
    from headrace.server.auth import Access, check_binding
    from headrace.server.process import listen, write_url

    keep_alive = settings.server_keep_alive_seconds if arguments.keep_alive is None else arguments.keep_alive
    services = not arguments.no_services
    if arguments.listener_fd is not None:
        # One of several: whoever has started it has checked, and is registered. It ends with that one, however that ends.
        threading.Thread(target=_end_with, args=(arguments.parent_fd,), daemon=True).start()
        with socket.socket(fileno=arguments.listener_fd) as listener:
            serve_on(listener, settings, services=services, keep_alive=keep_alive, ready=announce)
        return
    host = arguments.host or settings.server_api_host
    port = settings.server_api_port if arguments.port is None else arguments.port
    check_binding(host, Access(settings.server_api_key))
    with listen(host, port) as listener:
        url, database = write_url(listener), hide_password(settings.database_url)
        registration = register(settings.home, listener.getsockname()[1], url, own_version(), database)
        try:
            if arguments.workers > 1:
                from headrace.server.crowd import Crowd

                told = ["--log-level", arguments.log_level, "--keep-alive", str(keep_alive)]
                told += [] if services else ["--no-services"]
                Crowd(listener, arguments.workers, told, os.environ).run(lambda: announce(url))
            else:
                serve_on(listener, settings, services=services, keep_alive=keep_alive, ready=announce)
        finally:
            registration.close()


def _end_with(descriptor: int) -> None:
    os.read(descriptor, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def look_after(settings: Settings, announce: Announce) -> None:
    """Run the background loops until a signal comes, and serve nobody."""
    database = hide_password(settings.database_url)
    registration = register(settings.home, SERVICES, "", own_version(), database)
    try:
        orchestrator: Orchestrator = open_orchestrator(settings)
        try:
            assert orchestrator.loops is not None
            with Signals(signal.SIGINT, signal.SIGTERM) as signals:
                orchestrator.loops.start()
                try:
                    announce("the background loops")
                    signals.wait()
                finally:
                    orchestrator.hurry()
                    orchestrator.loops.stop()
        finally:
            orchestrator.close()
    finally:
        registration.close()


def describe(settings: Settings, access: Access) -> About:
    """What the server tells of itself."""
    from headrace.server.routes.meta import About

    return About(
        database=settings.database_url.partition("://")[0],
        needs_key=not access.is_open,
        settings={setting.env: setting.show(getattr(settings, setting.name)) for setting in SETTINGS},
    )


def read_arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m headrace.server", description=__doc__)
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    parser.add_argument("--log-level", default="INFO")
    parser.add_argument("--no-services", action="store_true")
    parser.add_argument("--services-only", action="store_true")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--keep-alive", type=float)
    parser.add_argument("--listener-fd", type=int, help="a socket to serve on, which listens already")
    parser.add_argument("--parent-fd", type=int, help="a descriptor that ends with who has started this process")
    parser.add_argument("--ready-fd", type=int, help="a descriptor to which the address is written once it answers")
    return parser.parse_args()


def main() -> int:
    """Serve as the command line says; 1 with one sentence on stderr when that cannot be."""
    # Nearly all that is made until requests are answered stays: looking through it again and again took a third of the start.
    gc.disable()
    arguments = read_arguments()

    def announce(url: str) -> None:
        gc.freeze()
        gc.enable()
        if arguments.ready_fd is not None:
            with os.fdopen(arguments.ready_fd, "w") as ready:
                ready.write(url)
        elif arguments.services_only:
            print(f"Headrace {own_version()} runs {url}. Ctrl-C stops them.", flush=True)
        else:
            print(f"Headrace {own_version()} answers at {url}. Ctrl-C stops it.", flush=True)

    try:
        settings = load_settings()
        configure_logging(arguments.log_level, settings.server_logging_format)
        if arguments.services_only:
            look_after(settings, announce)
        else:
            run(arguments, settings, announce)
    except (ConfigurationError, DatabaseError) as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
