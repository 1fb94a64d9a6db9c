"""Calls that must not type-check. Each line ends with a part of what the type checker says about it."""

from headrace import flow, pause_flow_run, task
from headrace.cache_policies import INPUTS
from headrace.input import RunInput, receive_input
from headrace.task_runners import ThreadPoolTaskRunner
from headrace.variables import Variable


@task
def add(x: int, y: int = 1) -> int:
    return x + y


@task
async def fetch(url: str) -> bytes:
    return url.encode()


@flow
def train(rate: float) -> float:
    return rate


@flow
async def gather(urls: list[str]) -> int:
    return len(urls)


class Approval(RunInput):
    approved: bool


class Report:
    @task
    def write(self, score: float) -> str:
        return str(score)

    @flow
    def publish(self, score: float) -> str:
        return self.write(score)


add("1")  # expect: "Literal['1']"
add(1, z=2)  # expect: No overloads
add()  # expect: No overloads
add(1, 2, 3)  # expect: No overloads
train("fast")  # expect: "Literal['fast']"
train(rates=1.0)  # expect: No overloads
result: str = add(1)  # expect: "int" is not assignable to "str"
state: int = add(1, return_state=True)  # expect: "State" is not assignable to "int"
bytes_of: bytes = fetch("a")  # expect: is not assignable to "bytes"
number: str = add.submit(1).result()  # expect: "int" is not assignable to "str"
content: str = fetch.submit("a").result()  # expect: "bytes" is not assignable to "str"
numbers: list[str] = add.map([1]).result()  # expect: "list[int]" is not assignable to "list[str]"
count: int = gather(["a"])  # expect: is not assignable to "int"
train.submit(1.0)  # expect: Cannot access attribute "submit"
task(retires=3)  # expect: No overloads
task(retries="three")  # expect: "int | None"
flow(task_runner="threads")  # expect: cannot be assigned to parameter "task_runner"
flow(cache_policy=None)  # expect: No overloads
task(5)  # expect: Literal[5]
add.with_options(retires=3)  # expect: "retires"
train.with_options(log_prints="yes")  # expect: "Literal['yes']"
ThreadPoolTaskRunner(max_workers="many")  # expect: "Literal['many']"
train.deploy("daily", crom="@daily")  # expect: "crom"
train.serve("daily", work_pool_name="local")  # expect: "work_pool_name"

# methods, inputs, and what else is imported
Report().write("high")  # expect: "Literal['high']"
Report().write(1.0, 2.0)  # expect: No overloads
Report().publish(scores=1.0)  # expect: No overloads
paid: int = Report().write.submit(1.0).result()  # expect: "str" is not assignable to "int"
answer: str = pause_flow_run(Approval)  # expect: "Approval" is not assignable to "str"
for each in receive_input(int):
    each.upper()  # expect: Cannot access attribute "upper"
INPUTS.configure(isolation_level="SERIALIZABLE")  # expect: "IsolationLevel | None"
Variable.set("city", 3, tag=["geo"])  # expect: No parameter named "tag"
train.visualise()  # expect: Cannot access attribute "visualise"
