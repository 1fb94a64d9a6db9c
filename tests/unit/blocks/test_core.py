"""Blocks in code: described, saved, loaded and deleted through the session's own way to the orchestrator, in both colours."""

from __future__ import annotations

import asyncio
import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pydantic
import pytest
from pydantic import BaseModel, Field, SecretBytes, SecretStr

from headrace.base.errors import (
    InvalidBlockRegistration,
    ObjectAlreadyExists,
    ObjectNotFound,
    UnknownBlockType,
    UsageError,
)
from headrace.blocks.core import Block
from headrace.blocks.description import describe_fields, list_secrets
from headrace.blocks.fields import SecretDict
from headrace.blocks.system import Secret
from headrace.engine.session import Session
from headrace.rules.blocks import MASK, checksum_of

Ask = Callable[..., Any]


class Login(Block):
    """A user and a password."""

    _block_type_name = "Log In"
    _logo_url = "https://example.com/logo.png"

    user: str = "me"
    password: SecretStr


class Plain(BaseModel):
    token: SecretStr
    user: str = "u"


class Everything(Block):
    login: Login
    maybe: Login | None = None
    plain: Plain | None = None
    keys: SecretDict = SecretDict({})
    several: list[SecretStr] = Field(default_factory=list[Any])
    models: list[Plain] = Field(default_factory=list[Any])
    by_name: dict[str, SecretStr] = Field(default_factory=dict)
    anything: dict[str, Any] = Field(default_factory=dict)
    raw: SecretBytes = SecretBytes(b"")
    when: dt.date = dt.date(2026, 1, 1)
    path: Path = Path("a")
    renamed: pydantic.Secret[int] = Field(default=pydantic.Secret[int](1), alias="other")


@pytest.fixture(params=["on a thread", "in a loop"])
def ask(request: pytest.FixtureRequest, session: Session) -> Ask:
    """Calls a method of a block or a class, or its twin."""

    def call(target: Any, verb: str, *args: Any, **options: Any) -> Any:
        if request.param == "on a thread":
            return getattr(target, verb)(*args, **options)
        return asyncio.run(getattr(target, f"a{verb}")(*args, **options))

    return call


def known(block: Block) -> tuple[UUID | None, str | None, bool | None]:
    return block._block_document_id, block._block_document_name, block._is_anonymous  # pyright: ignore[reportPrivateUsage]


# what a class says of itself


def test_a_class_is_called_by_its_name() -> None:
    class DailyReport(Block):
        pass

    class Other(Login):
        _block_type_slug: ClassVar[str | None] = "an-other"
        _description = " What it is for. "
        _block_schema_capabilities = ["notify"]  # noqa: RUF012 - as people write it

    assert (DailyReport.get_block_type_name(), DailyReport.get_block_type_slug()) == ("DailyReport", "dailyreport")
    assert DailyReport.get_description() is None
    assert (Login.get_block_type_name(), Login.get_block_type_slug()) == ("Log In", "log-in")
    assert Login.get_description() == "A user and a password."
    assert 'log_in = Login.load("NAME")' in Login.get_code_example()
    assert (Other.get_block_type_name(), Other.get_block_type_slug()) == ("Other", "an-other")
    assert Other.get_description() == "What it is for."
    assert Other.get_block_capabilities() == {"notify"}
    assert Other.get_about()["logo_url"] == "https://example.com/logo.png"
    assert not Block.is_block_type()


def test_a_schema_is_the_contracts() -> None:
    class Inner(Block):
        _block_type_name = "Inner Thing"
        token: SecretStr
        note: str = "x"

    assert checksum_of(describe_fields(Inner)) == (
        "sha256:c9a839d331766544a2ac0291fa62e72f17fa1e51476359a0e98c182711e4b2a6"
    )


def test_a_schema_says_what_is_secret_and_what_is_another_block() -> None:
    described = describe_fields(Everything)
    assert described["secret_fields"] == [
        "login.password", "maybe.password", "plain.token", "keys.*", "several", "models.token", "by_name.*", "raw", "other",
    ]  # fmt: skip
    reference = {"block_type_slug": "log-in", "block_schema_checksum": checksum_of(describe_fields(Login))}
    assert described["block_schema_references"] == {"login": reference, "maybe": reference}
    assert described["definitions"]["Login"]["secret_fields"] == ["password"]
    assert [field["position"] for field in described["properties"].values()] == [*range(12)]
    assert "additionalProperties" not in described


def test_a_field_of_any_kind_of_block_is_secret_whole() -> None:
    class Kind(Block, ABC):
        @abstractmethod
        def act(self) -> None: ...

    class Holder(Block):
        one: Kind
        other: Block
        either: Login | Everything | None = None

    assert not Kind.is_block_type()
    assert list_secrets(Holder)[:2] == ["one.*", "other.*"]
    references = describe_fields(Holder)["block_schema_references"]
    assert [each["block_type_slug"] for each in references["either"]] == ["log-in", "everything"]


def test_a_model_within_itself_comes_to_an_end() -> None:
    class Tree(Block):
        token: SecretStr
        child: Tree | None = None

    assert list_secrets(Tree) == ["token"]


# save and load


def test_a_block_is_saved_and_loaded(ask: Ask, session: Session) -> None:
    made = Login(user="you", password=SecretStr("pa55"))
    document_id = ask(made, "save", "mine")
    assert known(made) == (document_id, "mine", False)
    found = ask(Login, "load", "mine")
    assert found == made
    assert found.password.get_secret_value() == "pa55"
    assert known(found) == known(made)
    for other in (ask(Block, "load", "log-in/mine"), ask(Login, "load", "log-in/mine")):
        assert type(other) is Login
    for reference in (
        document_id,
        str(document_id),
        "log-in/mine",
        {"block_document_id": str(document_id)},
        {"block_document_slug": "log-in/mine"},
        {"block_type_slug": "log-in", "block_document_name": "mine"},
    ):
        assert ask(Block, "load_from_ref", reference) == made
    kept = session.administration.read_block_document(document_id)
    assert kept.data == {"user": "you", "password": MASK}
    assert kept.block_type is not None
    assert (kept.block_type.name, kept.block_type.logo_url) == ("Log In", "https://example.com/logo.png")
    ask(Login, "delete", "mine")
    for verb in ("load", "delete"):
        with pytest.raises(ObjectNotFound, match="There is no block 'mine' of type 'log-in'"):
            ask(Login, verb, "mine")


def test_a_name_is_taken_until_it_may_be_overwritten(ask: Ask, session: Session) -> None:
    first = ask(Login(password=SecretStr("1")), "save", "mine")
    with pytest.raises(
        ObjectAlreadyExists, match="of type 'log-in' called 'mine' already; overwrite=True saves it anew"
    ):
        ask(Login(password=SecretStr("2")), "save", "mine")
    assert ask(Login(password=SecretStr("2"), user="x"), "save", "mine", overwrite=True) == first
    loaded = ask(Login, "load", "mine")
    assert (loaded.user, loaded.password.get_secret_value()) == ("x", "2")
    loaded.user = "y"
    ask(loaded, "save", overwrite=True)
    assert ask(Login, "load", "mine").user == "y"


@pytest.mark.parametrize("name", ["With Space", "UPPER", "under_score", "", "a/b", "x" * 256, 3])
def test_a_name_has_bounds(session: Session, name: Any) -> None:
    with pytest.raises(UsageError, match=r"name is 1 to 255|has no name yet"):
        Login(password=SecretStr("x")).save(name)


def test_every_kind_of_value_comes_back(session: Session) -> None:
    inner = Login(password=SecretStr("kept"))
    inner.save("inner")
    made = Everything(
        login=inner,
        maybe=Login(password=SecretStr("whole")),
        plain=Plain(token=SecretStr("t")),
        keys=SecretDict({"a": {"b": [1, None]}}),
        several=[SecretStr("1"), SecretStr("2")],
        models=[Plain(token=SecretStr("m"))],
        by_name={"k": SecretStr("v")},
        anything={"deep": {"s": SecretStr("found")}},
        raw=SecretBytes(b"bytes"),
        other=pydantic.Secret[int](7),
        more={"extra": SecretStr("extra")},  # pyright: ignore[reportCallIssue]
    )
    document_id = made.save("all")
    found = Everything.load("all")
    made.anything, more = {"deep": {"s": "found"}}, {"extra": "extra"}
    assert found.model_extra == {"more": more}
    assert found.model_dump(exclude={"more"}) == made.model_dump(exclude={"more"})
    assert known(found.login) == known(inner)
    assert found.maybe is not None
    assert known(found.maybe) == (None, None, None)
    shown = session.administration.read_block_document(document_id).data
    assert (shown["login"]["password"], shown["maybe"]["password"], shown["keys"]) == (
        MASK,
        MASK,
        {"a": {"b": [MASK, None]}},
    )
    assert (shown["several"], shown["models"], shown["other"]) == (MASK, [{"token": MASK, "user": "u"}], MASK)
    assert (shown["anything"], shown["more"]) == ({"deep": {"s": MASK}}, {"extra": MASK})


def test_what_is_secret_without_being_declared_is_sealed(session: Session) -> None:
    class Kept(Login):
        extra: SecretStr

    class Holder(Block):
        login: Login
        anything: Any = None

    made = Holder(
        login=Kept(password=SecretStr("p"), extra=SecretStr("sealed-1")),
        anything=[
            {"a.b": {SecretStr("sealed-2")}, "c": (SecretDict({"d": "sealed-3"}), SecretStr("sealed-4")), "e": "open"}
        ],
    )
    shown = session.administration.read_block_document(made.save("one"))
    assert "sealed-" not in repr(shown.data)
    assert shown.data["login"] == {"user": "me", "password": MASK, "extra": MASK, "block_type_slug": "kept"}
    assert "sealed-4" in repr(Holder.load("one").anything)
    assert type(Holder.load("one").login) is Kept


def test_a_block_in_a_block_is_what_it_is_now(session: Session) -> None:
    inner = Login(password=SecretStr("old"))
    inner.save("inner")
    Everything(login=inner).save("outer")
    Login(password=SecretStr("new")).save("inner", overwrite=True)
    assert Everything.load("outer").login.password.get_secret_value() == "new"
    again = Everything.load("outer")
    again.save(overwrite=True)
    assert Everything.load("outer").login.password.get_secret_value() == "new"
    Login.delete("inner")
    with pytest.raises(UsageError, match=r"Block everything/outer does not fit Everything: login: Field required"):
        Everything.load("outer")
    assert Everything.load("outer", validate=False).login is None


def test_a_field_of_a_kind_takes_any_of_it(session: Session) -> None:
    class Kind(Block, ABC):
        @abstractmethod
        def act(self) -> str: ...

    class Quiet(Kind):
        def act(self) -> str:
            return "quiet"

    class Loud(Kind):
        word: str = "hey"

        def act(self) -> str:
            return self.word

    class Holder(Block):
        saved: Kind
        whole: Kind

    loud = Loud(word="ho")
    loud.save("loud")
    Holder(saved=loud, whole=Quiet()).save("holder")
    found = Holder.load("holder")
    assert (found.saved.act(), found.whole.act()) == ("ho", "quiet")
    assert type(Kind.load("loud/loud")) is Loud
    with pytest.raises(UsageError, match="Kind is not one type: load 'loud' as 'type-slug/loud'"):
        Kind.load("loud")
    with pytest.raises(UsageError, match="is of type 'holder', which is no Kind"):
        Kind.load("holder/holder")
    with pytest.raises(UsageError, match="is of type 'loud', not a Quiet"):
        Quiet.load("loud/loud")
    with pytest.raises(pydantic.ValidationError, match="a block of type 'log-in' is no Kind"):
        Holder.model_validate({"saved": {"block_type_slug": "log-in"}, "whole": loud})


def test_a_reference_is_loaded_where_a_block_is_asked_for(session: Session) -> None:
    inner = Login(password=SecretStr("x"))
    document_id = inner.save("inner")
    made = Everything.model_validate({"login": {"$ref": {"block_document_id": str(document_id)}}})
    assert made.login == inner
    assert known(made.login)[0] == document_id


def test_a_class_that_has_changed_says_what_does_not_fit(session: Session) -> None:
    Login(password=SecretStr("x")).save("mine")

    class Newer(Block):
        _block_type_slug = "log-in"
        user: int

    with pytest.raises(UsageError, match=r"Block log-in/mine does not fit Newer: user: .*integer.*validate=False"):
        Newer.load("mine")
    assert Newer.load("mine", validate=False).user == "me"


def test_what_is_no_type_of_its_own_is_not_saved(ask: Ask) -> None:
    with pytest.raises(InvalidBlockRegistration, match="Block is no block type: derive one from it"):
        ask(Block, "register_type_and_schema")


def test_a_type_is_registered_with_those_in_it(ask: Ask, session: Session) -> None:
    ask(Everything, "register_type_and_schema")
    office = session.administration
    assert office.read_block_type_by_slug("log-in").description == "A user and a password."
    schema = office.read_block_schema_by_checksum(checksum_of(describe_fields(Everything)))
    assert Block.get_block_class_from_schema(schema) is Everything

    class Anew(Block):
        """Said anew."""

        _block_type_slug = "log-in"

    ask(Anew, "register_type_and_schema")
    assert office.read_block_type_by_slug("log-in").description == "Said anew."


def test_an_unknown_type_is_said(session: Session) -> None:
    with pytest.raises(UnknownBlockType, match="No class here is of block type 'nothing': import the module"):
        Block.get_block_class_from_key("nothing")
    with pytest.raises(ObjectNotFound, match="There is no block type 'nothing'"):
        Block.load("nothing/mine")
    for wrong in ({}, {"block_document_name": "x"}):
        with pytest.raises(UsageError, match="names no block"):
            Block.load_from_ref(wrong)
    with pytest.raises(ObjectNotFound, match="There is no block with id"):
        Block.load_from_ref(uuid4())


def test_an_anonymous_block_has_no_name_of_its_own(session: Session) -> None:
    made = Login(password=SecretStr("x"))
    document_id = made._save(is_anonymous=True)  # pyright: ignore[reportPrivateUsage]
    assert known(made)[2] is True
    assert Block.load_from_ref(document_id) == made
    with pytest.raises(UsageError, match="has no name yet"):
        made.get_block_placeholder()


def test_a_saved_block_has_a_placeholder(session: Session) -> None:
    made = Login(password=SecretStr("x"))
    made.save("mine")
    assert made.get_block_placeholder() == "headrace.blocks.log-in/mine"


# secrets


@pytest.mark.parametrize("value", ["text", {"user": "x", "n": [1, None]}, 3, None, ["a"]])
def test_a_secret_is_any_json(session: Session, value: Any) -> None:
    Secret(value=value).save("mine")
    assert Secret.load("mine").get() == value
    assert "text" not in repr(Secret.load("mine"))


def test_a_dict_of_secrets_shows_none() -> None:
    assert repr(SecretDict({"a": "b"})) == "SecretDict('**********')"
    assert SecretDict({"a": "b"}).get_secret_value() == {"a": "b"}
