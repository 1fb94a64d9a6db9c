"""The generated module is what the tables and statements say."""

from headrace.storage import compiled, generate, migrations


def test_compiled_is_what_would_be_generated_now() -> None:
    assert generate.TARGET.read_text(encoding="utf-8") == generate.generate(), "run python -m headrace.storage.generate"


def test_the_newest_revision_is_the_one_the_tables_are_created_at() -> None:
    assert compiled.head == migrations.head()


def test_generating_twice_gives_the_same() -> None:
    assert generate.generate() == generate.generate()
