from typing import Any
from uuid import UUID

import pytest

from headrace.base.errors import InvalidRequest, NotAuthorized, ObjectAlreadyExists, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.rules.blocks import MASK, checksum_of
from headrace.schema.block import (
    BlockDocument,
    BlockDocumentCreate,
    BlockDocumentFilter,
    BlockDocumentSort,
    BlockDocumentUpdate,
    BlockSchema,
    BlockSchemaCreate,
    BlockSchemaFilter,
    BlockSelection,
    BlockType,
    BlockTypeCreate,
    BlockTypeFilter,
    BlockTypeUpdate,
)
from headrace.schema.filters import IdFilter, PausedFilter, TagsFilter, TextFilter
from headrace.schema.run import Page
from headrace.schema.workspace import Scope
from headrace.storage.database import Connection
from headrace.storage.databases import open_database
from tests.conformance.conftest import Orchestrations
from tests.conformance.scenes import Stage

FIELDS: dict[str, Any] = {
    "title": "Account",
    "type": "object",
    "properties": {"user": {"type": "string"}, "password": {"type": "string"}, "inner": {}, "z": {}, "a": {}},
    "secret_fields": ["password", "more.*", "inner.password"],
}


class Shelf:
    """A block type of a test's own, with a schema."""

    def __init__(self, administration: Administration, slug: str = "account") -> None:
        self.office = administration
        self.type: BlockType = administration.create_block_type(BlockTypeCreate(name=slug.title(), slug=slug))
        self.schema: BlockSchema = self.add_schema()

    def add_schema(self, capabilities: list[str] | None = None, **fields: Any) -> BlockSchema:
        return self.office.create_block_schema(
            BlockSchemaCreate(
                fields=FIELDS | fields, block_type_id=self.type.id, capabilities=capabilities or ["read-path"]
            )
        )

    def put(self, name: str | None, **data: Any) -> BlockDocument:
        return self.office.create_block_document(
            BlockDocumentCreate(
                name=name,
                data=data,
                block_schema_id=self.schema.id,
                block_type_id=self.type.id,
                is_anonymous=name is None,
            )
        )

    def open(self, document: BlockDocument) -> dict[str, Any]:
        return self.office.read_block_document(document.id, include_secrets=True).data


@pytest.fixture
def shelf(administration: Administration) -> Shelf:
    return Shelf(administration)


def refer(document: BlockDocument | UUID) -> dict[str, Any]:
    named = document if isinstance(document, UUID) else document.id
    return {"$ref": {"block_document_id": str(named)}}


# types


def test_a_block_type_is_kept(administration: Administration, stage: Stage) -> None:
    asked = BlockTypeCreate(
        name="My Type", slug="my-type", logo_url="l", documentation_url="d", description="e", code_example="c"
    )
    made = administration.create_block_type(asked)
    assert (made.name, made.slug, made.is_protected, made.created) == ("My Type", "my-type", False, made.updated)
    assert administration.read_block_type(made.id) == administration.read_block_type_by_slug("my-type") == made
    stage.clock.advance(1)
    administration.update_block_type(made.id, BlockTypeUpdate(logo_url=None, description="new"))
    now = administration.read_block_type(made.id)
    assert (now.logo_url, now.description, now.documentation_url, now.updated) == (None, "new", "d", stage.now)
    with pytest.raises(ObjectAlreadyExists, match="There is a block type 'my-type' already"):
        administration.create_block_type(asked)


@pytest.mark.parametrize("name", ["Prefect Thing", "headrace"])
def test_some_names_are_reserved(administration: Administration, name: str) -> None:
    with pytest.raises(NotAuthorized, match="are reserved"):
        administration.create_block_type(BlockTypeCreate(name=name, slug="thing"))


def test_types_are_filtered(administration: Administration, shelf: Shelf) -> None:
    def slugs(**wanted: Any) -> list[str]:
        return [each.slug for each in administration.list_block_types(BlockSelection(**wanted))]

    Shelf(administration, "other").add_schema(["notify", "x"], title="Loud")
    assert slugs(block_types=BlockTypeFilter(name=TextFilter(like_="CCOUN"))) == ["account"]
    assert slugs(block_types=BlockTypeFilter(slug=TextFilter(any_=["account", "other", "none"]))) == [
        "account",
        "other",
    ]
    loud = BlockSchemaFilter(block_capabilities=TagsFilter(all_=["notify", "x"]))
    assert slugs(block_schemas=loud) == ["other"]
    named = BlockTypeFilter(slug=TextFilter(any_=["account"]))
    assert slugs(block_types=named, block_schemas=loud) == []
    assert len(administration.list_block_types(page=Page(1))) == 1


def test_deleting_a_type_deletes_what_is_of_it(administration: Administration, shelf: Shelf) -> None:
    document = shelf.put("one", user="x")
    administration.delete_block_type(shelf.type.id)
    for ask in (
        lambda: administration.read_block_type(shelf.type.id),
        lambda: administration.read_block_type_by_slug("account"),
        lambda: administration.update_block_type(shelf.type.id, BlockTypeUpdate()),
        lambda: administration.delete_block_type(shelf.type.id),
        lambda: administration.read_block_schema(shelf.schema.id),
        lambda: administration.read_block_document(document.id),
        lambda: administration.read_block_document_by_name("account", "one"),
        lambda: administration.create_block_schema(BlockSchemaCreate(block_type_id=shelf.type.id)),
        lambda: shelf.put("two"),
    ):
        with pytest.raises(ObjectNotFound, match="There is no block"):
            ask()


# schemas


def test_a_schema_is_known_by_its_checksum(administration: Administration, shelf: Shelf) -> None:
    made = shelf.schema
    assert made.checksum == checksum_of(FIELDS)
    assert (made.fields, made.capabilities, made.version, made.block_type) == (
        FIELDS, ["read-path"], "non-versioned", shelf.type,
    )  # fmt: skip
    assert [*made.fields] == [*FIELDS]
    assert shelf.add_schema() == made
    assert administration.read_block_schema(made.id) == administration.read_block_schema_by_checksum(made.checksum)
    versioned = administration.create_block_schema(
        BlockSchemaCreate(fields=FIELDS, block_type_id=shelf.type.id, version="2.0")
    )
    assert versioned.id != made.id
    assert administration.read_block_schema_by_checksum(made.checksum, "2.0") == versioned
    assert administration.read_block_schema_by_checksum(made.checksum, "non-versioned") == made
    for checksum, version in (("sha256:0", None), (made.checksum, "3.0")):
        with pytest.raises(ObjectNotFound, match="There is no block schema"):
            administration.read_block_schema_by_checksum(checksum, version)


def test_schemas_are_filtered(administration: Administration, shelf: Shelf) -> None:
    newer = shelf.add_schema(["notify"], title="Newer")

    def ids(**wanted: Any) -> list[UUID]:
        selection = BlockSelection(block_schemas=BlockSchemaFilter(**wanted))
        return [each.id for each in administration.list_block_schemas(selection)]

    assert ids(block_type_id=IdFilter(any_=[shelf.type.id])) == [newer.id, shelf.schema.id]
    assert ids(id=IdFilter(any_=[shelf.schema.id])) == [shelf.schema.id]
    of_type = {"block_type_id": IdFilter(any_=[shelf.type.id])}
    assert ids(**of_type, block_capabilities=TagsFilter(all_=["notify"])) == [newer.id]
    assert ids(**of_type, version=TextFilter(any_=["1"])) == []
    assert {"notify", "read-path"} <= {*administration.list_block_capabilities()}


def test_deleting_a_schema_deletes_its_blocks(administration: Administration, shelf: Shelf) -> None:
    document = shelf.put("one")
    administration.delete_block_schema(shelf.schema.id)
    for ask in (
        lambda: administration.read_block_document(document.id),
        lambda: administration.delete_block_schema(shelf.schema.id),
    ):
        with pytest.raises(ObjectNotFound):
            ask()
    assert administration.read_block_type(shelf.type.id) == shelf.type


# blocks


def test_a_block_is_kept_with_its_secrets_sealed(
    administration: Administration, shelf: Shelf, implementation: Orchestrations
) -> None:
    data = {"z": 1, "user": "ünï", "password": "pa55word-of-mine", "more": {"k": ["deep-inside"]}, "a": None}
    made = shelf.put("my-account", **data)
    masked = {**data, "password": MASK, "more": {"k": [MASK]}}
    assert (made.name, made.data, [*made.data]) == ("my-account", masked, [*data])
    assert (made.block_type, made.block_type_name, made.block_schema) == (shelf.type, "Account", shelf.schema)
    assert administration.read_block_document(made.id) == made
    assert administration.read_block_document_by_name("account", "my-account") == made
    assert administration.list_block_documents() == [made]
    for found in (
        administration.read_block_document(made.id, include_secrets=True),
        administration.read_block_document_by_name("account", "my-account", include_secrets=True),
        *administration.list_block_documents(include_secrets=True),
    ):
        assert found.data == data
    kept = dump(implementation)
    assert "my-account" in kept
    assert "pa55word-of-mine" not in kept
    assert "deep-inside" not in kept


def dump(implementation: Orchestrations) -> str:
    """All that the database knows of blocks, as text."""
    from sqlalchemy import select

    from headrace.storage.tables import block_documents

    def read(connection: Connection) -> str:
        return repr([tuple(row) for row in connection.select(select(block_documents))])

    with open_database(implementation.url) as database:
        return database.read(read)


def test_a_field_that_becomes_secret_is_sealed(
    administration: Administration, shelf: Shelf, implementation: Orchestrations
) -> None:
    made = shelf.put("one", user="not-secret-so-far", password="x")
    grown = shelf.add_schema(secret_fields=["user"])
    assert (grown.id, grown.checksum) == (shelf.schema.id, shelf.schema.checksum)
    assert grown.fields["secret_fields"] == ["password", "more.*", "inner.password", "user"]
    assert administration.read_block_document(made.id).data == {"user": MASK, "password": MASK}
    assert shelf.open(made) == {"user": "not-secret-so-far", "password": "x"}
    assert "not-secret-so-far" not in dump(implementation)


def test_a_name_is_taken_once_in_its_type(administration: Administration, shelf: Shelf) -> None:
    shelf.put("one", user="a")
    with pytest.raises(ObjectAlreadyExists, match="There is a block of this type called 'one' already"):
        shelf.put("one", user="b")
    Shelf(administration, "other").put("one", user="c")
    assert administration.read_block_document_by_name("account", "one").data == {"user": "a"}


def test_an_anonymous_block_is_given_a_name(administration: Administration, shelf: Shelf) -> None:
    made = shelf.put(None, user="x")
    assert made.is_anonymous
    assert made.name is not None
    assert made.name.startswith("anonymous-")
    assert administration.list_block_documents() == []
    assert administration.count_block_documents() == 0
    everything = BlockSelection(block_documents=BlockDocumentFilter(is_anonymous=None))
    assert administration.list_block_documents(everything) == [made]
    only = BlockSelection(block_documents=BlockDocumentFilter(is_anonymous=PausedFilter(eq_=True)))
    assert administration.count_block_documents(only) == 1


def test_a_block_that_cannot_be_is_refused(administration: Administration, shelf: Shelf) -> None:
    other = Shelf(administration, "other")
    asked = BlockDocumentCreate(name="x", block_schema_id=shelf.schema.id, block_type_id=other.type.id)
    with pytest.raises(InvalidRequest, match="is not one of block type"):
        administration.create_block_document(asked)
    for name in ("Upper", "with space", "a\n", "", "x" * 256):
        with pytest.raises(InvalidRequest):
            shelf.put(name)
        with pytest.raises(InvalidRequest):
            administration.create_block_type(BlockTypeCreate(name="Fine", slug=name))
    with pytest.raises(InvalidRequest):
        administration.create_block_type(BlockTypeCreate(name="a/b", slug="fine"))
    with pytest.raises(InvalidRequest, match="A block needs a name"):
        administration.create_block_document(
            BlockDocumentCreate(block_schema_id=shelf.schema.id, block_type_id=shelf.type.id)
        )
    with pytest.raises(InvalidRequest, match=r"Field 'inner' refers to block .*, which is not there"):
        shelf.put("x", inner=refer(uuid7()))
    assert administration.count_block_documents() == 0


def test_an_update_changes_what_it_names(administration: Administration, shelf: Shelf, stage: Stage) -> None:
    made = shelf.put("one", user="a", password="secret")
    stage.clock.advance(1)
    administration.update_block_document(made.id, BlockDocumentUpdate(data={"user": "b", "password": MASK}))
    assert shelf.open(made) == {"user": "b", "password": "secret"}
    assert administration.read_block_document(made.id).updated == stage.now
    administration.update_block_document(made.id, BlockDocumentUpdate(data={"password": "new"}))
    assert shelf.open(made) == {"user": "b", "password": "new"}
    administration.update_block_document(
        made.id, BlockDocumentUpdate(data={"password": MASK}, merge_existing_data=False)
    )
    assert shelf.open(made) == {"password": "new"}
    other = shelf.add_schema(title="Other", secret_fields=["user"])
    administration.update_block_document(made.id, BlockDocumentUpdate(block_schema_id=other.id, data={"user": "c"}))
    now = administration.read_block_document(made.id)
    assert (now.block_schema_id, now.data) == (other.id, {"password": "new", "user": MASK})
    foreign = Shelf(administration, "other").schema
    with pytest.raises(InvalidRequest, match="is not one of block type"):
        administration.update_block_document(made.id, BlockDocumentUpdate(block_schema_id=foreign.id))


def test_blocks_refer_to_blocks(administration: Administration, shelf: Shelf) -> None:
    deep = shelf.put("deep", user="d", password="deep-secret")
    inner = shelf.put("inner", inner=refer(deep), password="inner-secret")
    outer = shelf.put("outer", user="o", inner=refer(inner))
    masked = {"user": "o", "inner": {"password": MASK, "inner": {"user": "d", "password": MASK}}}
    assert outer.data == masked
    told = outer.block_document_references["inner"].block_document
    assert (told.id, told.name, told.block_type) == (inner.id, "inner", shelf.type)
    assert told.block_document_references["inner"].block_document.id == deep.id
    open_ = {"user": "o", "inner": {"password": "inner-secret", "inner": {"user": "d", "password": "deep-secret"}}}
    assert shelf.open(outer) == open_
    administration.update_block_document(outer.id, BlockDocumentUpdate(data={"user": "p"}))
    assert shelf.open(outer) == {**open_, "user": "p"}
    administration.delete_block_document(deep.id)
    assert shelf.open(outer) == {"user": "p", "inner": {"password": "inner-secret"}}


def test_no_block_consists_of_itself(administration: Administration, shelf: Shelf) -> None:
    one = shelf.put("one")
    two = shelf.put("two", inner=refer(one))
    for document, target in ((one, one), (one, two)):
        with pytest.raises(InvalidRequest, match="refers to itself, or to too many others"):
            administration.update_block_document(document.id, BlockDocumentUpdate(data={"inner": refer(target)}))
    assert shelf.open(one) == {}


def test_no_block_consists_of_too_many(administration: Administration, shelf: Shelf) -> None:
    block = shelf.put("first")
    for number in range(5):
        block = shelf.put(f"b-{number}", inner=refer(block), z=refer(block))
    grown = shelf.put("grown", inner=refer(block), z=refer(block))
    with pytest.raises(InvalidRequest, match="too many"):
        shelf.put("too-much", inner=refer(grown), z=refer(grown))


def test_blocks_are_filtered_and_ordered(administration: Administration, shelf: Shelf) -> None:
    other = Shelf(administration, "zebra")
    made = {name: (shelf if name != "b" else other).put(name) for name in ("c", "a", "b")}

    def names(
        sort: BlockDocumentSort = BlockDocumentSort.NAME_ASC, page: Page = Page(), **wanted: Any
    ) -> list[str | None]:
        selection = BlockSelection(**wanted)
        found = [each.name for each in administration.list_block_documents(selection, sort, page)]
        assert page != Page() or administration.count_block_documents(selection) == len(found)
        return found

    assert names() == ["a", "b", "c"]
    assert names(BlockDocumentSort.NAME_DESC) == ["c", "b", "a"]
    assert names(BlockDocumentSort.BLOCK_TYPE_AND_NAME_ASC) == ["a", "c", "b"]
    assert names(BlockDocumentSort.BLOCK_TYPE_AND_NAME_ASC, Page(1, 1)) == ["c"]
    assert names(page=Page(1, 1)) == ["b"]
    assert names(block_documents=BlockDocumentFilter(id=IdFilter(any_=[made["c"].id]))) == ["c"]
    assert names(block_documents=BlockDocumentFilter(name=TextFilter(like_="B"))) == ["b"]
    assert names(block_documents=BlockDocumentFilter(block_type_id=IdFilter(any_=[other.type.id]))) == ["b"]
    assert names(block_types=BlockTypeFilter(slug=TextFilter(any_=["account"]))) == ["a", "c"]
    assert names(block_schemas=BlockSchemaFilter(id=IdFilter(any_=[other.schema.id]))) == ["b"]


def test_what_was_deleted_is_gone(administration: Administration, shelf: Shelf) -> None:
    made = shelf.put("one")
    administration.delete_block_document(made.id)
    for ask in (
        lambda: administration.read_block_document(made.id),
        lambda: administration.read_block_document_by_name("account", "one"),
        lambda: administration.update_block_document(made.id, BlockDocumentUpdate()),
        lambda: administration.delete_block_document(made.id),
        lambda: administration.read_block_document_by_name("no-such-type", "one"),
    ):
        with pytest.raises(ObjectNotFound):
            ask()


def test_secrets_are_sealed_anew(administration: Administration, shelf: Shelf, implementation: Orchestrations) -> None:
    many = [shelf.put(f"n-{number}", password=f"secret {number}") for number in range(3)]
    shelf.put("plain", user="x")
    before = dump(implementation)
    rotation = administration.rotate_secrets()
    assert rotation.resealed == 3
    after = dump(implementation)
    assert after.count(rotation.key_id) == 3
    assert rotation.key_id not in before
    assert [shelf.open(each)["password"] for each in many] == ["secret 0", "secret 1", "secret 2"]
    again = administration.rotate_secrets()
    assert again.key_id != rotation.key_id
    assert shelf.open(many[0]) == {"password": "secret 0"}


# what comes with Headrace


def test_some_types_are_there_from_the_start(administration: Administration) -> None:
    secret = administration.read_block_type_by_slug("secret")
    assert (secret.name, secret.is_protected) == ("Secret", True)
    selection = BlockSelection(block_schemas=BlockSchemaFilter(block_type_id=IdFilter(any_=[secret.id])))
    (schema,) = administration.list_block_schemas(selection)
    assert schema.checksum == checksum_of(schema.fields)
    assert administration.read_block_schema_by_checksum(schema.checksum) == schema
    with pytest.raises(NotAuthorized, match="Block type 'secret' came with Headrace, and is protected"):
        administration.delete_block_type(secret.id)
    with pytest.raises(NotAuthorized, match="is protected"):
        administration.delete_block_schema(schema.id)
    administration.install_block_types()
    assert administration.read_block_type_by_slug("secret") == secret


def test_what_other_clients_say_of_a_type_stays(implementation: Orchestrations) -> None:
    one = implementation.open().administration
    secret = one.read_block_type_by_slug("secret")
    one.update_block_type(secret.id, BlockTypeUpdate(description="mine"))
    other = implementation.open().administration
    other.install_block_types()
    assert other.read_block_type(secret.id).description == "mine"


def test_blocks_belong_to_a_workspace(implementation: Orchestrations) -> None:
    one = Shelf(implementation.open().administration)
    other = Shelf(implementation.open(Scope(workspace_id=uuid7())).administration)
    made = one.put("mine", password="x")
    other.put("mine", password="y")
    assert one.open(made) == {"password": "x"}
    for ask in (
        lambda: other.office.read_block_document(made.id),
        lambda: other.office.delete_block_document(made.id),
        lambda: other.office.read_block_type(one.type.id),
        lambda: other.office.delete_block_schema(one.schema.id),
    ):
        with pytest.raises(ObjectNotFound):
            ask()
    with pytest.raises(InvalidRequest, match="which is not there"):
        other.put("thief", inner=refer(made))
    assert one.office.rotate_secrets().resealed == 2
    assert one.open(made) == {"password": "x"}
