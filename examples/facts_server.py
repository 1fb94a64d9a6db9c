"""A small server of animal facts that fails at random, for trying out retries.

    python examples/facts_server.py --failure-rate 0.5 --seed 7

`/fact` answers like catfact.ninja and `/api/v2/facts` like dogapi.dog, so either can stand in for the other.
"""

import argparse
import json
import random
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from urllib.parse import urlsplit

CAT_FACTS = (
    "A cat sleeps for about two thirds of its life.",
    "Cats walk like camels and giraffes: both feet of one side, then both of the other.",
    "A group of cats is called a clowder.",
    "Cats cannot taste sweetness.",
)
DOG_FACTS = (
    "A dog's nose print is as unique as a fingerprint.",
    "Greyhounds can reach 70 kilometres an hour.",
    "The Basenji hardly ever barks; it yodels.",
    "Puppies are born deaf and blind.",
)


class FactsServer(ThreadingHTTPServer):
    """Serves facts on a loopback port and refuses a given share of the requests, the same ones for the same seed."""

    daemon_threads = True

    def __init__(self, port: int = 8000, failure_rate: float = 0.5, seed: int | None = None) -> None:
        super().__init__(("127.0.0.1", port), FactsHandler)
        self.failure_rate = failure_rate
        self.dice = random.Random(seed)
        self.lock = Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, path: str) -> tuple[int, object]:
        """The status and the body for one request."""
        with self.lock:
            failed = self.dice.random() < self.failure_rate
            cat_fact, dog_fact = self.dice.choice(CAT_FACTS), self.dice.choice(DOG_FACTS)
        if path not in {"/fact", "/api/v2/facts"}:
            return 404, {"error": "ask for /fact or /api/v2/facts"}
        if failed:
            return 500, {"error": "the animals are asleep, try again"}
        if path == "/fact":
            return 200, {"fact": cat_fact, "length": len(cat_fact)}
        return 200, {"data": [{"type": "fact", "attributes": {"body": dog_fact}}]}


class FactsHandler(BaseHTTPRequestHandler):
    server: FactsServer

    def do_GET(self) -> None:
        status, content = self.server.answer(urlsplit(self.path).path)
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8000, help="0 takes any free port")
    parser.add_argument("--failure-rate", type=float, default=0.5, help="share of the requests answered with a 500")
    parser.add_argument("--seed", type=int, default=None, help="the same seed fails the same requests")
    options = parser.parse_args(arguments)
    with FactsServer(options.port, options.failure_rate, options.seed) as server:
        print(f"Serving facts on {server.url}, Ctrl-C ends it", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
