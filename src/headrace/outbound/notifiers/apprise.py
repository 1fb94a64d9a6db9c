from __future__ import annotations

import warnings
from typing import Any, ClassVar, cast

from headrace.outbound.egress import ANYWHERE, Egress, Undelivered
from headrace.outbound.notifier import Notice, Notifier

_KINDS = {"success": "success", "warning": "warning", "failure": "failure"}


class Apprise(Notifier, frozen=True, kw_only=True):
    """Any of the services that the library apprise knows, by an address of its own kind.

    It makes its connections by itself. So where not every address may be reached, only services are told that are always at
    one place of the internet: none whose address names a host.
    """

    slug: ClassVar[str] = "apprise"

    url: str
    notify_type: str = "info"

    def tell(self, notice: Notice, egress: Egress = ANYWHERE) -> None:
        library, service = _open(self.url)
        if service is None:
            raise Undelivered("This is no address that apprise knows.", lasting=True)
        if not egress.private and any("{host}" in template for template in service.templates):
            text = f"{service.service_name} is at an address that the block names, where requests are not let go."
            raise Undelivered(text, lasting=True)
        told = library.Apprise()
        told.add(service)
        kind = library.NotifyType(_KINDS.get(self.notify_type, "info"))
        if not told.notify(body=notice.body, title=notice.subject or "", notify_type=kind):
            raise Undelivered(f"{service.service_name} has not taken it.")


def _open(url: str) -> tuple[Any, Any]:
    """The library, and the service of an address that it knows. Raises `Undelivered` where it is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what its own libraries have to say of themselves
        try:
            import apprise
        except ImportError:
            text = "This needs the library apprise: pip install 'headrace[apprise]'."
            raise Undelivered(text, lasting=True) from None
        library = cast("Any", apprise)
        return library, library.Apprise.instantiate(url, suppress_exceptions=True)
