"""Variables, secrets and limits as people use them."""

# It runs in an environment of its own, and is written as people write.
# pyright: basic, reportMissingImports=false

from prefect import flow, tags, task
from prefect.blocks.system import Secret
from prefect.concurrency.sync import concurrency, rate_limit
from prefect.events import emit_event
from prefect.variables import Variable

assert Variable.get("city", default="none") == "none"
Variable.set("city", "Ulm", tags=["place"])
Variable.set("city", {"name": "Bonn"}, overwrite=True)
print(Variable.get("city")["name"])
Variable.set("gone", 1)
print(Variable.unset("gone"), Variable.unset("gone"))

Secret(value="pssst").save("word")
print(Secret.load("word").get())

with concurrency("lim", occupy=1, timeout_seconds=60):
    print("in")
with concurrency("nobody-limits-this", occupy=1):
    pass
rate_limit("pace", timeout_seconds=60)


@task(tags=["db"])
def query(number):
    return number


@flow
def report():
    with tags("nightly"):
        return sum(future.result() for future in [query.submit(number) for number in range(3)])


assert report() == 3
emit_event(event="pond.filled", resource={"prefect.resource.id": "pond.1"}, payload={"litres": 3})
