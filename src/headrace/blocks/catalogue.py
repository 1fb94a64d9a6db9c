"""The block types that come with Headrace. The orchestrator knows them from a file, which this writes, since it never loads
classes of blocks: `python -m headrace.blocks.catalogue`. A test holds the two equal.
"""

from __future__ import annotations

import json
from importlib import import_module, resources
from typing import Any

from headrace.blocks.core import Block
from headrace.blocks.description import OWN_MODULES, describe_fields


def load_classes() -> list[type[Block]]:
    """The classes, in the order of their slugs."""
    classes = [each for name in OWN_MODULES for each in vars(import_module(name)).values() if _is_own(each, name)]
    return sorted(classes, key=lambda each: each.get_block_type_slug())


def _is_own(value: Any, module: str) -> bool:
    return isinstance(value, type) and issubclass(value, Block) and value.__module__ == module and value.is_block_type()


def describe() -> str:
    """The catalogue, as text."""
    told = [
        {
            "name": each.get_block_type_name(),
            "slug": each.get_block_type_slug(),
            "description": each.get_description(),
            "code_example": each.get_code_example(),
            "capabilities": sorted(each.get_block_capabilities()),
            "fields": describe_fields(each),
        }
        for each in load_classes()
    ]
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    from pathlib import Path

    folder = Path(str(resources.files("headrace")))
    (folder / "orchestration" / "administration" / "block_types.json").write_text(describe(), encoding="utf-8")
