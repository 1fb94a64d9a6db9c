"""Luigi tasks that leave one empty file each, which is how Luigi knows they are done."""

import uuid
from pathlib import Path
from time import perf_counter

import luigi
from report import TASKS, report


class Noop(luigi.Task):
    folder = luigi.Parameter()
    number = luigi.IntParameter()

    def output(self):
        return luigi.LocalTarget(str(Path(self.folder) / str(self.number)))

    def run(self):
        with self.output().open("w"):
            pass


class All(luigi.WrapperTask):
    folder = luigi.Parameter()

    def requires(self):
        return [Noop(self.folder, number) for number in range(TASKS)]


def measure(workers: int) -> None:
    """Build all tasks with so many worker processes under the local scheduler."""
    folder = Path(f"luigi-{uuid.uuid4().hex}")
    folder.mkdir()
    begin = perf_counter()
    luigi.build([All(str(folder))], local_scheduler=True, workers=workers, log_level="WARNING")
    seconds = perf_counter() - begin
    report(seconds=seconds, readable_seconds=0.0, recorded=len(list(folder.iterdir())))
