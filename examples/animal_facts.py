"""Two facts, each fetched by a flow of its own: one run calls two more."""

import sys

import httpx2

from headrace import flow


@flow
def fetch_cat_fact(url: str) -> str:
    response = httpx2.get(url).raise_for_status()
    return response.json()["fact"]


@flow
def fetch_dog_fact(url: str) -> str:
    response = httpx2.get(url).raise_for_status()
    return response.json()["data"][0]["attributes"]["body"]


@flow(log_prints=True)
def animal_facts(
    cat_url: str = "https://catfact.ninja/fact",
    dog_url: str = "https://dogapi.dog/api/v2/facts?limit=1",
) -> None:
    cat_fact = fetch_cat_fact(cat_url)
    dog_fact = fetch_dog_fact(dog_url)
    print(f"🐱: {cat_fact}")
    print(f"🐶: {dog_fact}")


if __name__ == "__main__":
    animal_facts(*sys.argv[1:])
