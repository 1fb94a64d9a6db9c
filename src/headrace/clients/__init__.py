"""Clients: what the orchestrator knows, looked at and changed from code, by the names this field's clients have."""

from __future__ import annotations

from typing import Literal, overload

from headrace.clients.asynchronous import AsyncClient
from headrace.clients.client import Client

__all__ = ["AsyncClient", "Client", "get_client"]


@overload
def get_client(*, sync_client: Literal[True]) -> Client: ...


@overload
def get_client(*, sync_client: Literal[False] = False) -> AsyncClient: ...


def get_client(*, sync_client: bool = False) -> Client | AsyncClient:
    """Make a client for coroutines, or with `sync_client` one for code that blocks.

        async with get_client() as client: ...
        with get_client(sync_client=True) as client: ...

    It asks the server that the settings name, or without one the database in place; within a run, as that run does.
    What is given to it and what it answers are the types of `headrace.schema`; filters are those of `headrace.schema.filters`.
    """
    return Client() if sync_client else AsyncClient()
