"""The forms that a drawing takes."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from headrace import flow, task
from headrace.drawings import Drawing, Graph, Need, Step
from headrace.exceptions import UsageError

SVG = "{http://www.w3.org/2000/svg}"
GRAPH = Graph(
    "etl & more",
    (
        Step("load"),
        Step('clean "x" <b>', many="3", needs=(Need(0),)),
        Step("publish", is_flow=True, needs=(Need(1), Need(0, waits=True))),
    ),
)


def test_the_picture_has_a_box_for_each_step_and_a_line_for_each_need() -> None:
    root = ET.fromstring(Drawing(GRAPH).svg)
    assert root.get("aria-label") == 'Flow etl & more: load, clean "x" <b> × 3, publish'
    boxes = root.findall(f"{SVG}g")
    assert ["".join(box.find(f"{SVG}text").itertext()) for box in boxes] == [  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
        "load",
        'clean "x" <b> × 3',
        "publish",
    ]
    assert [len(box.findall(f"{SVG}rect")) for box in boxes] == [1, 3, 1]
    assert [line.get("class") for line in root.findall(f"{SVG}path")] == ["line", "line", "line waits"]


def test_the_picture_holds_what_is_drawn() -> None:
    root = ET.fromstring(Drawing(GRAPH).svg)
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    for box in root.iter(f"{SVG}rect"):
        if box.get("class") != "paper":
            assert 0 < float(box.get("x", 0)) < width - float(box.get("width", 0))
            assert 0 < float(box.get("y", 0)) < height - float(box.get("height", 0))


@pytest.mark.parametrize("name", ["日本語のタスク", "x" * 300, "\x1b[31m", "half \ud800", "a\nb"])
def test_any_name_makes_a_picture(name: str) -> None:
    drawing = Drawing(Graph(name, (Step(name),)))
    ET.fromstring(drawing.svg.encode())
    assert "\x1b" not in str(drawing)
    assert len(str(drawing).splitlines()) == 2
    assert len(drawing.mermaid.splitlines()) == 5


def test_no_steps_are_said_to_be_none() -> None:
    drawing = Drawing(Graph("etl"))
    assert "It calls no tasks." in drawing.svg
    assert str(drawing) == "etl  calls no tasks"
    assert drawing.mermaid.splitlines()[-1] == "flowchart TD"


def test_mermaid() -> None:
    assert Drawing(GRAPH).mermaid.splitlines() == [
        "---",
        'title: "etl & more"',
        "---",
        "flowchart TD",
        '    s0["load"]',
        '    s1["clean #quot;x#quot; <b> × 3"]',
        '    s2[["publish"]]',
        "    s0 --> s1",
        "    s1 --> s2",
        "    s0 -.-> s2",
    ]


def test_the_terminal() -> None:
    assert str(Drawing(GRAPH)).splitlines() == [
        "etl & more",
        "├─ ● load",
        '├─ ● clean "x" <b> × 3  ← load',
        '└─ ◆ publish            ← clean "x" <b> × 3, (load)',
    ]
    console = Console(width=80)
    with console.capture() as captured:
        console.print(Drawing(GRAPH))
    assert [line.rstrip() for line in captured.get().splitlines()] == str(Drawing(GRAPH)).splitlines()


def test_saving(tmp_path: Path) -> None:
    drawing = Drawing(GRAPH)
    assert drawing.save(tmp_path / "etl.svg").read_text(encoding="utf-8") == drawing.svg == drawing._repr_svg_()  # pyright: ignore[reportPrivateUsage]
    assert drawing.save(str(tmp_path / "etl.MMD")).read_text(encoding="utf-8") == drawing.mermaid
    with pytest.raises(UsageError, match=r"saved as \.svg, \.mmd or \.mermaid, which 'etl.png' is not"):
        drawing.save(tmp_path / "etl.png")
    with pytest.raises(UsageError, match=r"cannot be written to .*: No such file"):
        drawing.save(tmp_path / "nowhere" / "etl.svg")


def test_a_flow_gives_its_drawing() -> None:
    @task
    def load() -> None: ...

    @flow(name="etl")
    def run() -> None:
        load()

    assert repr(run.visualize()) == "<Drawing of flow 'etl', 1 steps>"
    assert run.generate_mermaid_graph() == run.visualize().mermaid
