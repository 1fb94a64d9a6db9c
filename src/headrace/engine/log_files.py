"""Files that set up logging, in the form of Python's `logging.config.dictConfig`: YAML or JSON."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, cast

from headrace.base.errors import ConfigurationError

_COMPLAINT = re.compile(
    r"Unable to configure (?:root logger|(?P<kind>formatter|filter|handler|logger) '?(?P<name>.*?)'?)$"
)
"""What `dictConfig` says of an entry that it cannot use."""


def apply_log_file(path: Path, *, needed: bool) -> Collection[str]:
    """Set up logging as the file says, and return which loggers it names: none if there is no file, and none is `needed`.

    Loggers that exist are left as they are unless it says otherwise. Raises `ConfigurationError`, which names the file and,
    if it is known, the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        if not needed:
            return ()
        raise ConfigurationError(f"There is no file of logging settings {path}.") from None
    except OSError as error:
        raise ConfigurationError(f"The logging settings in {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"The logging settings in {path} cannot be read: they are not UTF-8.") from None
    document = _parse(path, text)
    import logging.config

    try:
        logging.config.dictConfig({"disable_existing_loggers": False, **document})
    except Exception as error:  # noqa: BLE001 - handlers that the file names are made by whatever it names
        place = f"{path}{_find_line(text, str(error))}"
        raise ConfigurationError(f"The logging settings in {place} cannot be used: {_explain(error)}.") from None
    loggers: Collection[str] = document.get("loggers") or ()
    return loggers


def _parse(path: Path, text: str) -> dict[str, Any]:
    import json

    import yaml

    try:
        document: Any = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"{path}:{error.lineno} is no JSON: {error.msg}.") from None
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark is not None else ""
        raise ConfigurationError(f"{path}{line} is no YAML: {error.problem or error.context}.") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigurationError(f"{path}:{line} is no YAML: {_explain(error)}.") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigurationError(f"{path} is no YAML: {_explain(error)}.") from None
    if not isinstance(document, dict):
        raise ConfigurationError(f"The logging settings in {path} are no mapping with `version: 1`.")
    return document  # pyright: ignore[reportUnknownVariableType]


def _find_line(text: str, complaint: str) -> str:
    """Where the file has what `dictConfig` complains of, as `:7`; nothing if that cannot be said."""
    import yaml

    found = _COMPLAINT.match(complaint)
    if found is None:
        return ""
    path = ["root"] if found["kind"] is None else [f"{found['kind']}s", found["name"]]
    try:
        node = cast("Any", yaml.compose(text, Loader=yaml.SafeLoader))  # pyright: ignore[reportUnknownMemberType]
    except yaml.YAMLError:  # JSON that is no YAML, such as one indented by tabs
        return ""
    line = ""
    for name in path:
        entries: list[Any] = node.value if isinstance(node, yaml.MappingNode) else []
        for key, value in entries:
            if key.value == name:
                node, line = value, f":{key.start_mark.line + 1}"
    return line


def _explain(error: BaseException) -> str:
    """What went wrong, and why, in one line."""
    said = [str(each) or type(each).__name__ for each in (error, error.__cause__) if each is not None]
    return " ".join(": ".join(said).split()).rstrip(".")
