"""Serializers: how kept values become bytes. Given to flows and tasks as `result_serializer`, by name or as an object."""

from headrace.engine.serializers import (
    CompressedJSONSerializer,
    CompressedPickleSerializer,
    CompressedSerializer,
    JSONSerializer,
    PickleSerializer,
    Serializer,
)

__all__ = [
    "CompressedJSONSerializer", "CompressedPickleSerializer", "CompressedSerializer", "JSONSerializer", "PickleSerializer",
    "Serializer",
]  # fmt: skip
