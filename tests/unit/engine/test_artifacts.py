"""Artifacts: what is left and changed, in both colours, and looked up again."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from headrace import artifacts as public
from headrace.artifacts import (
    Artifact,
    ImageArtifact,
    LinkArtifact,
    MarkdownArtifact,
    ProgressArtifact,
    TableArtifact,
    create_image_artifact,
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from headrace.base import errors
from headrace.base.ids import uuid7
from headrace.connect import open_session
from headrace.engine import artifacts
from headrace.engine.context import current
from headrace.engine.flow_definition import Flow
from headrace.engine.session import close_session, swap_session
from headrace.schema.fact import ArtifactChangeFact, ArtifactFact
from headrace.testing import RecordingRun, RecordingSession


@pytest.fixture
def session(home: object) -> Any:
    session = RecordingSession()
    before = swap_session(session)
    yield session
    swap_session(before)


def left(session: RecordingSession) -> ArtifactFact:
    (fact,) = session.facts
    assert isinstance(fact, ArtifactFact)
    return fact


def test_markdown_may_be_indented_like_a_docstring(session: RecordingSession) -> None:
    rmse = 6.5
    made = create_markdown_artifact(
        f"""
        # Report

        | Region | RMSE |
        |:-------|-----:|
        |     NY | {rmse} |
        """,
        key="duration-model-report",
        description="of the model",
    )
    fact = left(session)
    assert (fact.id, fact.type, fact.key, fact.description) == (
        made,
        "markdown",
        "duration-model-report",
        "of the model",
    )
    assert fact.data == "# Report\n\n| Region | RMSE |\n|:-------|-----:|\n|     NY | 6.5 |"
    assert (fact.flow_run_id, fact.task_run_id) == (None, None)


def test_artifacts_belong_to_the_run_that_leaves_them(session: RecordingSession) -> None:
    run = RecordingRun(session).context
    token = current.set(run)
    try:
        create_link_artifact("https://example.org")
    finally:
        current.reset(token)
    assert left(session).flow_run_id == run.flow_run_id


@pytest.mark.parametrize("key", ["a", "report-2", "2021-01"])
def test_keys_are_letters_digits_and_dashes(key: str, session: RecordingSession) -> None:
    assert isinstance(create_link_artifact("https://example.org", key=key), UUID)
    assert left(session).key == key


@pytest.mark.parametrize("key", ["", "Report", "my_report", "-a", "a-", "a--b", "a b", "é", "a\n"])
@pytest.mark.parametrize("create", [create_markdown_artifact, create_table_artifact, create_link_artifact])
def test_other_keys_are_refused(key: str, create: Callable[..., UUID], session: RecordingSession) -> None:
    with pytest.raises(errors.UsageError, match="use lower-case letters, digits and dashes"):
        create([], key=key) if create is create_table_artifact else create("text", key=key)
    assert not session.facts


@pytest.mark.parametrize("field", ["key", "description"])
def test_keys_and_descriptions_are_texts(field: str, session: RecordingSession) -> None:
    options: Any = {field: 3}
    with pytest.raises(errors.UsageError, match=f"An artifact's {field} must be a text, not 3"):
        create_markdown_artifact("# Report", **options)


@pytest.mark.parametrize(
    ("link", "text", "shown"),
    [
        ("https://x.org", None, "[https://x.org](https://x.org)"),
        ("https://x.org", "the model", "[the model](https://x.org)"),
    ],
)
def test_links_are_shown_by_their_text(link: str, text: str | None, shown: str, session: RecordingSession) -> None:
    create_link_artifact(link, text)
    assert left(session).data == shown


@pytest.mark.parametrize(
    ("table", "stored"),
    [
        ([{"a": 1, "b": float("nan")}], [{"a": 1, "b": None}]),
        ([[1, float("inf")], ["x", None]], [[1, None], ["x", None]]),
        ({"a": [1.5, float("-inf")], "b": (1, 2)}, {"a": [1.5, None], "b": [1, 2]}),
        ([{"caf\udce9": "half \ud83d"}], [{"caf?": "half ?"}]),
        ([], []),
        ({}, {}),
    ],
    ids=["rows", "lists", "columns", "no text", "no rows", "no columns"],
)
def test_tables_are_rows_or_columns_and_have_no_nan(table: Any, stored: Any, session: RecordingSession) -> None:
    create_table_artifact(table, "table")
    assert json.loads(left(session).data) == stored


def test_a_markdown_that_is_too_long_is_cut_and_says_so(
    session: RecordingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "LIMIT", 10)
    create_markdown_artifact("0123456789abc")
    assert left(session).data == "0123456789\n… (cut: 13 characters)"


@pytest.mark.parametrize(
    "table",
    [[{"n": number} for number in range(100)], [[number] for number in range(100)], {"n": [*range(100)], "m": [1]}],
    ids=["rows", "lists", "columns"],
)
def test_a_table_that_is_too_long_is_cut_by_rows_and_says_so(
    table: Any, session: RecordingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "LIMIT", 200)
    create_table_artifact(table, description="numbers")
    fact = left(session)
    kept = json.loads(fact.data)
    rows = len(kept["n"] if isinstance(kept, dict) else kept)  # pyright: ignore[reportUnknownArgumentType]
    assert 0 < rows < 100
    assert len(fact.data) <= 200
    assert fact.description == f"numbers (cut: {rows} of 100 rows)"


def test_a_row_that_is_too_long_leaves_none(session: RecordingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "LIMIT", 10)
    create_table_artifact([{"text": "x" * 100}])
    fact = left(session)
    assert (fact.data, fact.description) == ("[]", "(cut: 0 of 1 rows)")


def test_pictures_and_progress(session: RecordingSession) -> None:
    create_image_artifact("https://x.org/a.png", key="picture", description="of it")
    create_progress_artifact(3)
    picture, progress = session.facts
    assert isinstance(picture, ArtifactFact)
    assert isinstance(progress, ArtifactFact)
    assert (picture.type, picture.data, picture.key, picture.description) == (
        "image", "https://x.org/a.png", "picture", "of it",
    )  # fmt: skip
    assert (progress.type, progress.data) == ("progress", 3.0)


def test_progress_is_updated_in_place(session: RecordingSession) -> None:
    made = create_progress_artifact(0.0)
    assert update_progress_artifact(made, 50) == made
    update_progress_artifact(made, 99.5, description="almost")
    told = [(fact.id, fact.data, fact.description) for fact in session.facts if isinstance(fact, ArtifactChangeFact)]
    assert told == [(made, 50.0, None), (made, 99.5, "almost")]


@pytest.mark.parametrize("progress", [math.nan, math.inf, "50", None, True])
def test_a_progress_is_a_number(session: RecordingSession, progress: Any) -> None:
    calls: list[Callable[[Any], UUID]] = [create_progress_artifact, partial(update_progress_artifact, uuid7())]
    for call in calls:
        with pytest.raises(errors.UsageError, match="A progress is a number, in percent, not"):
            call(progress)
    assert not session.facts


def test_what_is_updated_is_named_by_its_id(session: RecordingSession) -> None:
    name: Any = "progress"
    with pytest.raises(errors.UsageError, match="An artifact is named by its id, which 'progress' is not"):
        update_progress_artifact(name, 1)
    text: Any = 3
    with pytest.raises(errors.UsageError, match="An artifact's description must be a text, not 3"):
        update_progress_artifact(uuid7(), 1, text)


CALLS: list[tuple[str, tuple[Any, ...]]] = [
    ("create_markdown_artifact", ("# One", "key", "described")),
    ("create_table_artifact", ([{"a": 1}], "key", "described")),
    ("create_link_artifact", ("https://x.org", "here", "key", "described")),
    ("create_image_artifact", ("https://x.org/a.png", "key", "described")),
    ("create_progress_artifact", (5, "key", "described")),
    ("update_progress_artifact", (uuid7(), 5, "described")),
]


@pytest.mark.parametrize(("name", "arguments"), CALLS, ids=[name for name, _ in CALLS])
def test_the_asynchronous_twin_does_the_same(session: RecordingSession, name: str, arguments: tuple[Any, ...]) -> None:
    run = RecordingRun(session).context
    token = current.set(run)
    try:
        getattr(public, name)(*arguments)
        made = asyncio.run(getattr(public, f"a{name}")(*arguments))
    finally:
        current.reset(token)
    first, second = ({**_fields(fact), "id": None, "created": None, "changed": None} for fact in session.facts)
    assert first == second
    assert made == _fields(session.facts[1])["id"]


def _fields(fact: Any) -> dict[str, Any]:
    return {name: getattr(fact, name) for name in fact.__struct_fields__}


KINDS = [
    (MarkdownArtifact(markdown="  # One"), "markdown", "# One"),
    (TableArtifact(table={"a": [1]}), "table", '{"a":[1]}'),
    (LinkArtifact(link="https://x.org"), "link", "[https://x.org](https://x.org)"),
    (ImageArtifact(image_url="https://x.org/a.png"), "image", "https://x.org/a.png"),
    (ProgressArtifact(progress=5), "progress", 5.0),
    (Artifact(type="own", data=[1, 2]), "own", [1, 2]),
    (Artifact(), "unknown", None),
]


@pytest.mark.parametrize(("artifact", "kind", "data"), KINDS, ids=[kind for _, kind, _ in KINDS])
def test_artifacts_as_objects(session: RecordingSession, artifact: Artifact, kind: str, data: Any) -> None:
    assert artifact.format() == data
    assert artifact.create() is artifact
    assert asyncio.run(artifact.acreate()) is artifact
    fact = session.facts[1]
    assert isinstance(fact, ArtifactFact)
    assert (fact.id, fact.type, fact.data) == (artifact.id, kind, data)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["on a thread", "in a loop"])
def test_artifacts_are_looked_up_by_their_key(home: object, quiet_logging: None, asynchronous: bool) -> None:
    def ask(kind: type[Artifact], verb: str, *args: Any, **options: Any) -> Any:
        if asynchronous:
            return asyncio.run(getattr(kind, f"a{verb}")(*args, **options))
        return getattr(kind, verb)(*args, **options)

    swap_session(open_session())
    assert ask(Artifact, "get", "report") is None
    made, new = ask(MarkdownArtifact, "get_or_create", "report", markdown="# One", description="the first")
    assert (new, made.data) == (True, "# One")
    found, new = ask(MarkdownArtifact, "get_or_create", "report", markdown="# Two")
    assert (new, found.id, found.data, found.description) == (False, made.id, "# One", "the first")
    newer = create_progress_artifact(1, key="report")
    update_progress_artifact(newer, 2, "then")
    update_progress_artifact(newer, 3)
    found = ask(Artifact, "get", "report")
    assert (found.id, found.type, found.key, found.data, found.description) == (
        newer,
        "progress",
        "report",
        3.0,
        "then",
    )
    close_session()


def test_a_flow_updates_its_progress(home: object, quiet_logging: None) -> None:
    swap_session(open_session())

    def work() -> None:
        made = create_progress_artifact(0, key="work")
        for done in range(101):
            update_progress_artifact(made, done)

    Flow(work, name="work")()
    found = Artifact.get("work")
    assert found is not None
    assert found.data == 100.0
    close_session()
