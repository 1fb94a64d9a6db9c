"""One Luigi task under the local scheduler."""

import uuid

import luigi


class Noop(luigi.Task):
    name = luigi.Parameter()

    def output(self):
        return luigi.LocalTarget(self.name)

    def run(self):
        with self.output().open("w"):
            pass


if __name__ == "__main__":
    luigi.build([Noop(f"one-{uuid.uuid4().hex}")], local_scheduler=True, log_level="WARNING")
