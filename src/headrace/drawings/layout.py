"""Where the boxes of a drawing go: in layers from top to bottom, few lines crossing, each box near what it belongs to.

The steps come in an order in which each needs only earlier ones, so there are no circles. A line that passes layers has
a place of its own in each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 8


@dataclass(slots=True)
class Place:
    """A box, or a place that a line passes: its middle, and how wide it is."""

    layer: int
    width: float
    x: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line from one box to another one below it, by the places that it passes; both ends are among them."""

    start: int
    end: int
    path: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The places, those of the boxes first; layers of places from left to right; the lines; the width of it all."""

    places: list[Place]
    layers: list[list[int]]
    lines: list[Line]
    width: float


def lay_out(widths: Sequence[float], needs: Sequence[Sequence[int]], gap: float) -> Layout:
    """Place boxes of these widths, each of which needs others before it, `gap` apart from each other."""
    places: list[Place] = []
    for width, needed in zip(widths, needs, strict=True):
        places.append(Place(1 + max((places[each].layer for each in needed), default=-1), width))
    lines = [_route(places, start, end) for end, needed in enumerate(needs) for start in needed]
    layers: list[list[int]] = [[] for _ in range(1 + max((place.layer for place in places), default=-1))]
    for index, place in enumerate(places):
        layers[place.layer].append(index)
    above, below = _neighbours(len(places), lines)
    layers = _untangle(layers, above, below)
    _spread(places, layers, above, below, gap)
    left = min((place.x - place.width / 2 for place in places), default=0.0)
    for place in places:
        place.x -= left
    return Layout(places, layers, lines, max((place.x + place.width / 2 for place in places), default=0.0))


def _route(places: list[Place], start: int, end: int) -> Line:
    """The line, with new places where it passes layers."""
    path = [start]
    for layer in range(places[start].layer + 1, places[end].layer):
        path.append(len(places))
        places.append(Place(layer, 0.0))
    return Line(start, end, (*path, end))


def _neighbours(count: int, lines: list[Line]) -> tuple[list[list[int]], list[list[int]]]:
    """What each place is joined to in the layer above it, and in the one below it."""
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for line in lines:
        for upper, lower in pairwise(line.path):
            above[lower].append(upper)
            below[upper].append(lower)
    return above, below


def _untangle(layers: list[list[int]], above: list[list[int]], below: list[list[int]]) -> list[list[int]]:
    """The layers in the order in which the fewest lines cross, of those met while each follows its neighbours in turn."""
    best, fewest = layers, _count_crossings(layers, below)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        layers = [[*layer] for layer in layers]
        downward = sweep % 2 == 0
        for layer in layers[1:] if downward else layers[-2::-1]:
            fixed = layers[layers.index(layer) + (-1 if downward else 1)]
            order = {index: place for place, index in enumerate(fixed)}
            own = {index: place for place, index in enumerate(layer)}
            joined = above if downward else below
            middle = {
                index: sum(order[each] for each in joined[index]) / len(joined[index]) if joined[index] else own[index]
                for index in layer
            }
            layer.sort(key=lambda index: (middle[index], own[index]))
        crossings = _count_crossings(layers, below)
        if crossings < fewest:
            best, fewest = layers, crossings
    return best


def _count_crossings(layers: list[list[int]], below: list[list[int]]) -> int:
    crossings = 0
    for upper, lower in pairwise(layers):
        order = {index: place for place, index in enumerate(lower)}
        passed: list[int] = []
        for index in upper:
            ends = [order[each] for each in below[index]]
            crossings += sum(earlier > end for end in ends for earlier in passed)
            passed += ends
    return crossings


def _spread(
    places: list[Place], layers: list[list[int]], above: list[list[int]], below: list[list[int]], gap: float
) -> None:
    """Give each place its x: as near to what it is joined to as its neighbours in the layer let it."""
    for layer in layers:
        _put([0.0] * len(layer), [places[index] for index in layer], gap)
    for sweep in range(2 * SWEEPS):
        joined = above if sweep % 2 == 0 else below
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted = [
                sum(places[each].x for each in joined[index]) / len(joined[index]) if joined[index] else places[index].x
                for index in layer
            ]
            _put(wanted, [places[index] for index in layer], gap)


def _put(wanted: list[float], row: list[Place], gap: float) -> None:
    """Put a row's places where they are wanted, as nearly as their order and their widths allow.

    Seen without the room that each takes, the places may only not decrease: those that would are put together, in the
    middle of where they are wanted.
    """
    offsets = [0.0]
    for left, right in pairwise(row):
        offsets.append(offsets[-1] + (left.width + right.width) / 2 + gap)
    blocks: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=False):
        total, count = want - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            before, many = blocks.pop()
            total, count = total + before, count + many
        blocks.append((total, count))
    middles = [total / count for total, count in blocks for _ in range(count)]
    for place, middle, offset in zip(row, middles, offsets, strict=False):
        place.x = middle + offset
