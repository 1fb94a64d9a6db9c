"""What was measured, repeat by repeat, and what may be said about it."""

from dataclasses import dataclass, field
from statistics import median
from typing import Any

Samples = dict[int, float]


@dataclass(frozen=True)
class Spread:
    """A median with its extremes."""

    middle: float
    least: float
    most: float


@dataclass(frozen=True)
class Recorded:
    """How many of the tasks of one script could be read back at the end."""

    seen: int
    expected: int


@dataclass
class Figures:
    """All samples of one run, by measure and subject; each sample belongs to a repeat."""

    samples: dict[tuple[str, str], Samples] = field(default_factory=dict)
    recorded: dict[tuple[str, str], list[Recorded]] = field(default_factory=dict)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, measure: str, subject: str, repeat: int, figure: float) -> None:
        self.samples.setdefault((measure, subject), {})[repeat] = figure

    def add_recorded(self, measure: str, subject: str, seen: int, expected: int) -> None:
        self.recorded.setdefault((measure, subject), []).append(Recorded(seen, expected))

    def fail(self, measure: str, subject: str, reason: str) -> None:
        self.failures[measure, subject] = reason

    def sample(self, measure: str, subject: str, repeat: int) -> float | None:
        return self.samples.get((measure, subject), {}).get(repeat)

    def has(self, measure: str, subject: str) -> bool:
        return bool(self.samples.get((measure, subject)))

    def spread(self, measure: str, subject: str) -> Spread | None:
        """Return the median with its extremes, None if there is no sample."""
        return spread_of(list(self.samples.get((measure, subject), {}).values()))

    def ratio(self, measure: str, subject: str, references: tuple[str, ...]) -> Spread | None:
        """Return how many times better the subject is than the reference with the best median, taken repeat by repeat."""
        medians = [(spread.middle, key) for key in references if (spread := self.spread(measure, key))]
        if not medians:
            return None
        _, fastest = min(medians)
        ours, theirs = self.samples.get((measure, subject), {}), self.samples[measure, fastest]
        return spread_of([theirs[repeat] / ours[repeat] for repeat in ours if repeat in theirs and ours[repeat] > 0])

    def lost(self, measure: str, subject: str) -> Recorded | None:
        """Return the worst script of this measure: the one that could read back least. None if nothing was counted."""
        return min(self.recorded.get((measure, subject), []), key=lambda count: count.seen, default=None)

    def as_json(self) -> dict[str, Any]:
        """Return everything, for a file."""
        measured: dict[str, Any] = {}
        for (measure, subject), samples in self.samples.items():
            measured.setdefault(measure, {})[subject] = {"samples": [samples[repeat] for repeat in sorted(samples)]}
        for (measure, subject), counts in self.recorded.items():
            entry = measured.setdefault(measure, {}).setdefault(subject, {})
            entry["recorded"] = [count.seen for count in counts]
            entry["expected"] = counts[0].expected
        for (measure, subject), reason in self.failures.items():
            measured.setdefault(measure, {}).setdefault(subject, {})["failed"] = reason
        return measured


def spread_of(values: list[float]) -> Spread | None:
    """Return the median with its extremes, None if there is no value."""
    return Spread(median(values), min(values), max(values)) if values else None
