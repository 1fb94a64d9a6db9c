"""No-op async steps gathered at once inside a workflow."""

import asyncio
import uuid
from time import perf_counter

from dbos import DBOS
from dbos_readback import conclude, launch, naming
from report import TASKS


@DBOS.step()
async def noop(number):
    return number


@DBOS.workflow()
async def fanout(count):
    begin = perf_counter()
    await asyncio.gather(*(noop(number) for number in range(count)))
    return begin, perf_counter()


async def run(identity):
    with naming(identity):
        return await fanout(TASKS)


if __name__ == "__main__":
    launch()
    identity = str(uuid.uuid4())
    conclude(identity, *asyncio.run(run(identity)))
