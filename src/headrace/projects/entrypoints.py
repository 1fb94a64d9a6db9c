"""Loading a flow from where it stands: `path/to/file.py:function`, or `package.module:function`."""

from __future__ import annotations

import importlib
import sys
import traceback
from difflib import get_close_matches
from importlib.machinery import all_suffixes
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from headrace.base.errors import ConfigurationError
from headrace.engine.digests import checksum
from headrace.engine.flow_definition import Flow
from headrace.engine.sources import name_module

AnyFlow = Flow[..., Any]


def load_flow(entrypoint: str, folder: Path) -> AnyFlow:
    """The flow that an entrypoint names; without `:function`, the only one its file has. As `find_flow`."""
    return find_flow(entrypoint, folder)[1]


def find_flow(entrypoint: str, folder: Path) -> tuple[str, AnyFlow]:
    """The flow that an entrypoint names, and the entrypoint in full: with its function, and relative where it can be.

    Paths are relative to `folder`, which can be imported from, and so can the file's own folder. The module is known to
    the interpreter by its name, so that what it defines can be pickled. What the file prints and does on import, it does.
    Raises `ConfigurationError` in one line; where the file itself raised, that is the cause.
    """
    place, _, name = entrypoint.rpartition(":") if ":" in entrypoint else (entrypoint, "", "")
    if not place:
        raise ConfigurationError(f"Entrypoint {entrypoint!r} names no file: write path/to/file.py:function.")
    place, module = load_place(place, folder.absolute())
    name = name or _name_only_flow(module, place)
    return f"{place}:{name}", _find_flow(module, name, place)


def load_place(place: str, folder: Path) -> tuple[str, ModuleType]:
    """The module in a file, or of a name, and where it is: relative where it can be. As `find_flow`."""
    if not (place.endswith(".py") or "/" in place):
        return place, _load_module(place, folder)
    if Path(place).is_relative_to(folder):
        place = str(Path(place).relative_to(folder))
    return place, _load_file(folder / place, place, folder)


def _load_file(path: Path, shown: str, folder: Path) -> ModuleType:
    if not path.is_file():
        nearest = get_close_matches(path.name, [each.name for each in path.parent.glob("*.py")], n=1)
        advice = f"; did you mean {Path(shown).with_name(nearest[0])}?" if nearest else f" in {folder}."
        raise ConfigurationError(f"There is no file {shown}{advice}")
    if path.suffix not in all_suffixes():
        raise ConfigurationError(f"{shown} is no file of Python: those end in .py.")
    path = path.resolve()
    name, root = name_module(path)
    _make_importable(folder, path.parent, root)
    known = sys.modules.get(name)
    if known is not None and _is_from(known, path):
        return known
    if known is not None or name.partition(".")[0] in sys.stdlib_module_names:
        # A file may be called as a module that others import: it takes nobody's name.
        name = f"{name}_{checksum(str(path))}"
        known = sys.modules.get(name)
        return known if known is not None else _execute(name, path, shown)
    if "." in name:
        return _import(name, shown, path)
    return _execute(name, path, shown)


def _load_module(name: str, folder: Path) -> ModuleType:
    _make_importable(folder)
    return _import(name, name, None)


def _make_importable(*folders: Path) -> None:
    for folder in folders:
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    importlib.invalidate_caches()


def _import(name: str, shown: str, path: Path | None) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise ConfigurationError(f"There is no module {error.name!r} to import {shown} from.") from error
        raise _describe(error, shown, path) from error
    except (Exception, SystemExit) as error:
        raise _describe(error, shown, path) from error


def _execute(name: str, path: Path, shown: str) -> ModuleType:
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        sys.modules.pop(name, None)
        raise _describe(error, shown, path) from error
    return module


def _describe(error: BaseException, shown: str, path: Path | None) -> ConfigurationError:
    """What the file raised, and on which of its lines."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if path is not None and Path(frame.filename) == path
    ]
    if isinstance(error, SyntaxError) and error.lineno is not None:
        place = f", line {error.lineno}" if path is None or error.filename == str(path) else f": {error.filename}"
        text = error.msg
    else:
        place = f", line {lines[-1]}" if lines and lines[-1] else ""
        text = " ".join(str(error).split())
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return ConfigurationError(f"{shown}{place} cannot be loaded: {said.rstrip('.')}.")


def _is_from(module: ModuleType, path: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve() == path


def _find_flow(module: ModuleType, name: str, place: str) -> AnyFlow:
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
        if found is None:
            nearest = get_close_matches(name, [*_flows_of(module), *vars(module)], n=1)
            advice = f"; did you mean {place}:{nearest[0]}?" if nearest else _tell_flows(module)
            raise ConfigurationError(f"There is no {name!r} in {place}{advice}")
    if not isinstance(found, Flow):
        what = "a function" if callable(found) and not isinstance(found, type) else f"of type {type(found).__name__}"
        raise ConfigurationError(f"{place}:{name} is no flow but {what}: decorate the function with @flow.")
    return cast("AnyFlow", found)


def _name_only_flow(module: ModuleType, place: str) -> str:
    names = {id(flow): name for name, flow in reversed(_flows_of(module).items())}
    if not names:
        raise ConfigurationError(f"There is no flow in {place}: decorate a function with @flow.")
    if len(names) > 1:
        choice = ", ".join(f"{place}:{name}" for name in reversed(names.values()))
        raise ConfigurationError(f"{place} has several flows; name one: {choice}.")
    return next(iter(names.values()))


def _flows_of(module: ModuleType) -> dict[str, AnyFlow]:
    """The flows that are defined in a module, by the names they have there."""
    return {
        name: cast("AnyFlow", value)
        for name, value in vars(module).items()
        if isinstance(value, Flow) and getattr(cast("Any", value), "__module__", None) == module.__name__
    }


def _tell_flows(module: ModuleType) -> str:
    flows = _flows_of(module)
    return f"; its flows are {', '.join(flows)}." if flows else ": it has no flows."
