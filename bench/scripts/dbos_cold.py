"""One workflow with one step on a SQLite file."""

from dbos import DBOS

DBOS(config={"name": "bench", "system_database_url": "sqlite:///dbos.sqlite"})


@DBOS.step()
def noop(number):
    return number


@DBOS.workflow()
def one():
    return noop(1)


if __name__ == "__main__":
    DBOS.launch()
    one()
    DBOS.destroy()
