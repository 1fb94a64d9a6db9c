"""Triggers: what has to happen, or to fail to happen, for an automation to act.

A label that is asked for is a value or several; one that ends in `*` stands for all that begin so, one that begins with
`!` for all others.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct, field

from headrace.schema.action import read_seconds
from headrace.schema.wire_event import Labels

MOST_TRIGGERS = 50
"""How many triggers one automation may be composed of."""
MOST_COUNTED = 1_000
"""The most events that one trigger counts to."""


class Posture(StrEnum):
    """Whether a trigger waits for events (`Reactive`), for their absence (`Proactive`), or watches a figure (`Metric`)."""

    Reactive = "Reactive"
    Proactive = "Proactive"
    Metric = "Metric"


class Metric(StrEnum):
    """A figure of flow runs: how late they begin and how long they run, in seconds on average, and which share succeeds."""

    lateness = "lateness"
    duration = "duration"
    successes = "successes"


Texts = list[str]


def _each_once(texts: Iterable[str]) -> Texts:
    return [*dict.fromkeys(texts)]


class Trigger(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """Base of all triggers. The orchestrator gives each an id."""

    id: UUID | None = None


class EventTrigger(Trigger, kw_only=True, tag="event"):
    """Fires when as many of the events that it expects as `threshold` says occur `within` so many seconds; with the posture
    `Proactive`, when they do not.

    With `after`, only events that follow one of those count, and the time begins with it. `for_each` counts separately for
    each value of labels of the event's resource, or of one that is related (`related:ROLE:LABEL`).
    """

    match: Labels = field(default_factory=dict[str, str | list[str]])
    match_related: Labels | list[Labels] = field(default_factory=dict[str, str | list[str]])
    after: Texts = field(default_factory=Texts)
    expect: Texts = field(default_factory=Texts)
    for_each: Texts = field(default_factory=Texts)
    posture: Posture = Posture.Reactive
    threshold: Annotated[int, Meta(ge=1, le=MOST_COUNTED)] = 1
    within: float | timedelta = 0.0

    def __post_init__(self) -> None:
        self.within = read_seconds(self.within, "within")
        self.after, self.expect, self.for_each = map(_each_once, (self.after, self.expect, self.for_each))
        if self.posture == Posture.Metric:
            raise ValueError("the posture of an event trigger is Reactive or Proactive")
        if self.posture == Posture.Proactive and not self.within:
            raise ValueError("within has to say how many seconds a Proactive trigger waits")


class MetricQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """A condition on a figure over the last `range` seconds, which has to hold for `firing_for` seconds.

    A share of successes is a number between 0 and 1; what is greater is taken for percent.
    """

    name: Metric
    threshold: float
    operator: Literal["<", "<=", ">", ">="]
    range: float | timedelta = 300.0
    firing_for: float | timedelta = 300.0

    def __post_init__(self) -> None:
        self.range = read_seconds(self.range, "range")
        self.firing_for = read_seconds(self.firing_for, "firing_for")
        if not self.range:
            raise ValueError("range has to say over how many seconds the figure is taken")


class MetricTrigger(Trigger, kw_only=True, tag="metric"):
    """Fires when a figure of flow runs has met a condition for a while, and is resolved when it no longer does."""

    match: Labels = field(default_factory=dict[str, str | list[str]])
    match_related: Labels | list[Labels] = field(default_factory=dict[str, str | list[str]])
    posture: Posture = Posture.Metric
    metric: MetricQuery

    def __post_init__(self) -> None:
        if self.posture != Posture.Metric:
            raise ValueError("the posture of a metric trigger is Metric")


class CompositeTrigger(Trigger, kw_only=True):
    """Base of triggers that are made of others."""

    triggers: list[AnyTrigger]
    within: float | timedelta | None

    def __post_init__(self) -> None:
        if not self.triggers:
            raise ValueError("triggers names at least one trigger")
        if self.within is not None:
            self.within = read_seconds(self.within, "within")


class CompoundTrigger(CompositeTrigger, kw_only=True, tag="compound"):
    """Fires when `any`, `all` or so many of its triggers have fired within so many seconds; `null` sets no limit."""

    require: int | Literal["any", "all"]

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.require, int) and not 1 <= self.require <= len(self.triggers):
            raise ValueError(f"require is 1 to {len(self.triggers)}, as many triggers as there are, not {self.require}")


class SequenceTrigger(CompositeTrigger, kw_only=True, tag="sequence"):
    """Fires when its triggers have fired one after the other, within so many seconds; `null` sets no limit."""


AnyTrigger = EventTrigger | MetricTrigger | CompoundTrigger | SequenceTrigger


def list_triggers(trigger: AnyTrigger) -> list[AnyTrigger]:
    """A trigger with all that it is made of, itself first."""
    below = trigger.triggers if isinstance(trigger, CompositeTrigger) else []
    return [trigger, *(each for child in below for each in list_triggers(child))]
