"""One flow with one task, as a newcomer writes it."""

from headrace import flow, task


@task
def noop(number):
    return number


@flow
def one():
    return noop(1)


if __name__ == "__main__":
    one()
