"""Boxes are laid out in layers, near to what they belong to, and never over each other."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from headrace.drawings.layout import Layout, lay_out

GAP = 10.0


def layers(layout: Layout, count: int) -> list[list[int]]:
    return [[index for index in layer if index < count] for layer in layout.layers]


def test_nothing_takes_no_room() -> None:
    layout = lay_out([], [], GAP)
    assert (layout.places, layout.layers, layout.width) == ([], [], 0.0)


def test_each_box_is_below_what_it_needs() -> None:
    layout = lay_out([40] * 4, [[], [0], [0], [1, 2]], GAP)
    assert layers(layout, 4) == [[0], [1, 2], [3]]
    assert [layout.places[index].x for index in range(4)] == [45, 20, 70, 45]
    assert layout.width == 90


def test_a_line_that_passes_a_layer_has_a_place_there() -> None:
    layout = lay_out([40] * 3, [[], [0], [0, 1]], GAP)
    long = next(line for line in layout.lines if (line.start, line.end) == (0, 2))
    assert len(long.path) == 3
    assert layout.places[long.path[1]].layer == 1
    assert layout.places[long.path[1]].x != layout.places[1].x


def test_lines_are_untangled() -> None:
    layout = lay_out([40] * 6, [[], [], [], [2], [1], [0]], GAP)
    order = [layer.index for layer in layout.layers]
    crossed = [order[0](top) - order[0](other) for top, other in ((0, 1), (1, 2))]
    below = [order[1](top) - order[1](other) for top, other in ((5, 4), (4, 3))]
    assert [step > 0 for step in crossed] == [step > 0 for step in below]


@st.composite
def graphs(draw: st.DrawFn) -> list[list[int]]:
    count = draw(st.integers(1, 14))
    return [
        draw(st.lists(st.integers(0, index - 1), unique=True, max_size=4)) if index else [] for index in range(count)
    ]


@given(graphs(), st.data())
def test_no_two_boxes_of_a_layer_overlap(needs: list[list[int]], data: st.DataObject) -> None:
    widths = [data.draw(st.floats(10, 300)) for _ in needs]
    layout = lay_out(widths, needs, GAP)
    for line in layout.lines:
        assert [layout.places[index].layer for index in line.path] == list(
            range(layout.places[line.start].layer, layout.places[line.end].layer + 1)
        )
    for layer in layout.layers:
        row = [layout.places[index] for index in layer]
        for left, right in pairwise(row):
            assert right.x - left.x >= (left.width + right.width) / 2 + GAP - 1e-6
    assert min(place.x - place.width / 2 for place in layout.places) >= -1e-6
    assert max(place.x + place.width / 2 for place in layout.places) <= layout.width + 1e-6
