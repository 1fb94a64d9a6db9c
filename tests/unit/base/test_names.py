import re

from headrace.base.names import ADJECTIVES, ANIMALS, generate_name


def test_a_name_is_an_adjective_and_an_animal() -> None:
    for _ in range(200):
        adjective, _, animal = generate_name().partition("-")
        assert adjective in ADJECTIVES
        assert animal in ANIMALS


def test_the_words_are_plain_and_each_is_there_once() -> None:
    for words in (ADJECTIVES, ANIMALS):
        assert len(set(words)) == len(words)
        assert all(re.fullmatch(r"[a-z]+", word) for word in words)


def test_every_word_can_be_chosen() -> None:
    """The two places are picked from bits of their own, so neither list may be longer than its bits reach."""
    assert len(ADJECTIVES) <= 2**12
    assert len(ANIMALS) <= 2**20


def test_there_are_many_names() -> None:
    assert len(ADJECTIVES) * len(ANIMALS) > 40_000
