"""The orchestrator's file of block types says what their classes do."""

from headrace.blocks.catalogue import describe, load_classes
from headrace.orchestration.administration.block_types import CATALOGUE


def test_the_file_is_up_to_date() -> None:
    assert CATALOGUE.read_text("utf-8") == describe(), "python -m headrace.blocks.catalogue"


def test_every_type_says_what_it_is_for() -> None:
    for each in load_classes():
        assert each.get_description(), each
