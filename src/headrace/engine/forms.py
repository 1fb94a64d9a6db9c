"""What a paused flow run asks for: a type, as the schema that others are shown, and as what reads their answer."""

from __future__ import annotations

from typing import Any, cast

from headrace.base import errors
from headrace.schema.wire import decode_json, encode_json


class Form:
    """Asks for an instance of a pydantic model, or for a value of any other type, which is then the field `value`."""

    def __init__(self, kind: Any) -> None:
        from pydantic import BaseModel, create_model

        self._is_model = isinstance(kind, type) and issubclass(cast("Any", kind), BaseModel)
        asked = cast("Any", kind)
        try:
            self._model: type[BaseModel] = asked if self._is_model else create_model("Input", value=(asked, ...))
            self.schema = encode_json(self._model.model_json_schema())
        except Exception as error:  # noqa: BLE001 - pydantic has many ways to say that it can make nothing of a type
            raise errors.UsageError(f"A flow cannot wait for input of type {asked!r}: {_first_line(error)}") from None
        self.description: str | None = getattr(self._model, "description_of_input", None)

    def read(self, text: str) -> Any:
        """What somebody has told. Raises `ParameterTypeError` when that is not what was asked for."""
        from pydantic import ValidationError

        try:
            answer = self._model.model_validate(decode_json(text))
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, problem['loc'])) or 'input'}: {problem['msg']}" for problem in error.errors()
            )
            raise errors.ParameterTypeError(f"The flow run was given input of the wrong type: {problems}.") from None
        return answer if self._is_model else getattr(answer, "value")  # noqa: B009 - made of the user's type


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
