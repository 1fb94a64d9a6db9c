"""Input that flow runs ask for while they wait: models whose fields somebody fills in."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import BaseModel, create_model

__all__ = ["RunInput"]


class RunInput(BaseModel):
    """What a paused flow run asks for: a pydantic model, to be given to `pause_flow_run` as `wait_for_input`."""

    description_of_input: ClassVar[str | None] = None
    """Markdown that explains to people what they are asked."""

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
