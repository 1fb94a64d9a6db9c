"""No-op steps called in a loop inside a workflow; DBOS commits each before it returns."""

import uuid
from time import perf_counter

from dbos import DBOS
from dbos_readback import conclude, launch, naming
from report import TASKS


@DBOS.step()
def noop(number):
    return number


@DBOS.workflow()
def sequence(count):
    begin = perf_counter()
    for number in range(count):
        noop(number)
    return begin, perf_counter()


if __name__ == "__main__":
    launch()
    identity = str(uuid.uuid4())
    with naming(identity):
        times = sequence(TASKS)
    conclude(identity, *times)
