"""Models of what flow runs ask for while they wait, and of what they send each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self
from uuid import UUID

from pydantic import BaseModel, PrivateAttr, create_model

from headrace.base import errors
from headrace.input.receiving import InputReceiver
from headrace.input.sending import respond, send_input
from headrace.input.texts import RunInputMetadata, here_or_awaited, leave, read

__all__ = ["RunInput"]


class _Envelope:
    """How an input came. It makes no difference to whether two inputs are equal."""

    metadata: RunInputMetadata | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Envelope)

    __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


class RunInput(BaseModel):
    """What flow runs are told: a pydantic model, to be given to `pause_flow_run` as `wait_for_input`, sent and received."""

    description_of_input: ClassVar[str | None] = None
    """Markdown that explains to people what they are asked."""
    _envelope: _Envelope = PrivateAttr(default_factory=_Envelope)

    @property
    def metadata(self) -> RunInputMetadata:
        """How it came. Raises `UsageError` for one that was not received."""
        if self._envelope.metadata is None:
            raise errors.UsageError(f"This {type(self).__name__} was not received, so nobody has sent it.")
        return self._envelope.metadata

    def accept_metadata(self, metadata: RunInputMetadata) -> None:
        """Take note of how it came."""
        self._envelope.metadata = metadata

    def send_to(self, flow_run_id: UUID | str, sender: str | None = None, key_prefix: str | None = None) -> None:
        """Send it to a flow run, which gets it by `receive`; in async code await it."""
        return send_input(self, flow_run_id, sender, key_prefix)

    def respond(self, run_input: Any, sender: str | None = None, key_prefix: str | None = None) -> None:
        """Send a value to the flow run that sent this one; in async code await it. Raises `UsageError` when none did."""
        return respond(run_input, self._envelope.metadata, sender, key_prefix)

    @classmethod
    def receive(
        cls,
        timeout: float | None = 3600,
        poll_interval: float = 1.0,
        raise_timeout_error: bool = False,
        exclude_keys: Iterable[str] | None = None,
        key_prefix: str | None = None,
        flow_run_id: UUID | str | None = None,
    ) -> InputReceiver[Self]:
        """Go through those that are sent to the flow run that executes here; the options are `receive_input`'s."""
        return InputReceiver(cls, timeout, poll_interval, raise_timeout_error, exclude_keys, key_prefix, flow_run_id)

    @classmethod
    def load(cls, keyset: Mapping[str, str], flow_run_id: UUID | str | None = None) -> Self:
        """The response that was left under the keys of a paused run; in async code await it.

        Raises `ObjectNotFound` when there is none, `ValidationError` of pydantic for one of another kind.
        """

        def load() -> Self:
            told = read(keyset["response"], flow_run_id)
            made = cls.model_validate_json(told.value)
            made.accept_metadata(RunInputMetadata(told.key, told.sender, told.flow_run_id))
            return made

        return here_or_awaited(load)

    @classmethod
    def save(cls, keyset: Mapping[str, str], flow_run_id: UUID | str | None = None) -> None:
        """Leave for a run what it asks for, by its schema and description; in async code await it."""

        def save() -> None:
            leave(keyset["schema"], cls.model_json_schema(), flow_run_id, None)
            if cls.description_of_input is not None:
                leave(keyset["description"], cls.description_of_input, flow_run_id, None)

        return here_or_awaited(save)

    @classmethod
    def with_initial_data(cls, description: str | None = None, **initial_data: Any) -> type[Self]:
        """This model with other defaults for some fields, and with an explanation for those who are asked.

        Raises `AttributeError` for a field that it does not have.
        """
        unknown = initial_data.keys() - cls.model_fields.keys()
        if unknown:
            raise AttributeError(f"{cls.__name__} has no field {min(unknown)!r}.")
        fields: dict[str, Any] = {
            name: (cls.model_fields[name].annotation, value) for name, value in initial_data.items()
        }
        model: Any = create_model(cls.__name__, __base__=cls, **fields)
        model.description_of_input = description or cls.description_of_input
        return model
