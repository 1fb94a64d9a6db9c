"""Fetch a cat fact from an API that fails now and then.

Start one on your own machine with `python examples/facts_server.py`, which answers half of all requests with an error.
"""

import sys

import httpx2

from headrace import flow, task


@task(retries=4, retry_delay_seconds=0.1, log_prints=True)
def fetch_cat_fact(url: str) -> str:
    response = httpx2.get(url)
    print(f"{url} answered {response.status_code}")
    response.raise_for_status()
    return response.json()["fact"]


@flow
def fetch(url: str = "http://127.0.0.1:8000/fact") -> str:
    return fetch_cat_fact(url)


if __name__ == "__main__":
    print(fetch(*sys.argv[1:]))
