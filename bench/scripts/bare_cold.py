"""A flow and a task without any orchestrator: two plain functions."""


def noop(number):
    return number


def one():
    return noop(1)


if __name__ == "__main__":
    one()
