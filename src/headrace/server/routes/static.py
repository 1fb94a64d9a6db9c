"""The UI: its built files as they are, and its one page for every other address, which the UI itself understands."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from litestar import Response, route
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import File

from headrace.server.auth import Permission, needs_at_once

FOLDER = Path(__file__).parents[1] / "static"
"""Where the build puts the UI's files."""

IMMUTABLE = "public, max-age=31536000, immutable"
"""For files whose names change with their content."""

REVALIDATE = "no-cache"

NOT_BUILT = (
    "<!doctype html><title>Headrace</title><p>The API answers under <a href=/api/health>/api</a>. "
    "The UI has not been built into this installation: <code>make ui</code> builds it."
)

# Types are told by names alone: a machine's own table of types must not decide what a browser executes.
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("image/svg+xml", ".svg")
mimetypes.add_type("font/woff2", ".woff2")


@route("/", http_method=["GET", "HEAD"], include_in_schema=False, **needs_at_once(Permission.PUBLIC))
async def show_page() -> File | Response[str]:
    return serve_page()


@route("/{path:path}", http_method=["GET", "HEAD"], include_in_schema=False, **needs_at_once(Permission.PUBLIC))
async def show_file(path: FromPath[str]) -> File | Response[str]:
    wanted = path.strip("/")
    if wanted.partition("/")[0] == "api":
        raise NotFoundException
    lasting = wanted.startswith("assets/")
    file = find_file(wanted)
    if file is not None:
        return serve(file, IMMUTABLE if lasting else REVALIDATE)
    if lasting:
        raise NotFoundException
    return serve_page()


def serve_page() -> File | Response[str]:
    """The UI's one page."""
    page = FOLDER / "index.html"
    if not page.is_file():
        return Response(NOT_BUILT, media_type="text/html", headers={"Cache-Control": REVALIDATE})
    return serve(page, REVALIDATE)


def serve(file: Path, caching: str) -> File:
    """A file to be shown where it is."""
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return File(file, media_type=kind, content_disposition_type="inline", headers={"Cache-Control": caching})


def find_file(wanted: str) -> Path | None:
    """The built file of that name, if there is one; nothing outside of the folder, whatever the name says."""
    try:
        file = (FOLDER / wanted).resolve()
        return file if wanted and file.is_file() and file.is_relative_to(FOLDER.resolve()) else None
    except (OSError, ValueError):
        return None


routes = [show_page, show_file]
