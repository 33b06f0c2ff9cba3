"""YAML read once, strictly: no tags, anchors, aliases or duplicate keys; a position for every key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pls_ml.core.errors import ConfigError, suggest

if TYPE_CHECKING:
    from pydantic import BaseModel

MAX_BYTES = 1_000_000
MAX_DEPTH = 50
Model = TypeVar("Model", bound="BaseModel")


def read_spec(path: Path, model: type[Model], what: str) -> Model:
    """Takes a YAML file and the declared shape; returns it validated.

    Refuses with every problem at once, each with its line, what was expected and the nearest valid name.
    """
    from pydantic import ValidationError

    data = read_yaml(path, what)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = [f"  line {_line_of(data, item['loc'])}: {_sentence(item, model)}" for item in error.errors()]
        raise ConfigError(
            f"{path} has {len(lines)} problem{'s' if len(lines) > 1 else ''}:\n" + "\n".join(sorted(set(lines), key=lines.index))
        ) from None


def read_yaml(path: Path, what: str) -> Any:
    """Takes a YAML file; returns its mappings and lists, with line numbers; refuses what is not plain data."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if not path.is_file():
        start = "run `pls-ml init` to write one, or " if what == "project file" else ""
        raise ConfigError(f"no {what} at {path}: {start}give its path")
    text = path.read_bytes()
    if len(text) > MAX_BYTES:
        raise ConfigError(f"{path} has {len(text):,} bytes: expected at most {MAX_BYTES:,}")
    try:
        _refuse_clever_parts(path, text)
        data = YAML(typ="rt", pure=True).load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" line {mark.line + 1}" if mark else ""
        said = str(getattr(error, "problem", None) or error).split(" with value")[0]  # a duplicate key's old value may be long
        raise ConfigError(f"{path}{place}: {' '.join(said.split())}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path} is not a mapping of keys to values: start it with `key: value` lines")
    return data


def _refuse_clever_parts(path: Path, text: bytes) -> None:
    from ruamel.yaml import YAML
    from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent

    depth = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ConfigError(f"{path} line {event.start_mark.line + 1}: nested more than {MAX_DEPTH} levels deep; write it flatter")
        if getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise ConfigError(f"{path} line {event.start_mark.line + 1}: anchors, aliases and tags are not read; write the value out")


def _line_of(data: Any, location: tuple[int | str, ...]) -> int:
    line = 1
    here: Any = data
    for step in location:
        if isinstance(here, dict) and step in here:
            line = here.lc.key(step)[0] + 1  # type: ignore[attr-defined]  # ruamel's mappings know their lines
            here = here[step]
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            line = here.lc.item(step)[0] + 1  # type: ignore[attr-defined]
            here = here[step]
    return line


def _sentence(item: Any, model: type[BaseModel]) -> str:
    where = ".".join(str(step) for step in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"unknown key `{where}`{suggest(str(item['loc'][-1]), _known_keys(model, item['loc']))}"
    if item["type"] == "missing":
        return f"`{where}` is missing"
    if item["type"] == "union_tag_not_found":
        return f"`{where}.kind` is missing"
    if item["type"] == "union_tag_invalid":
        kinds = [kind.strip("'") for kind in item["ctx"]["expected_tags"].split(", ")]
        return f"`{where}.kind` is '{item['ctx']['tag']}'{suggest(item['ctx']['tag'], kinds)}: expected one of {', '.join(kinds)}"
    message = item["msg"].removeprefix("Value error, ")
    shown = "" if isinstance(item["input"], dict | list) else ", got no value" if item["input"] is None else f", got {item['input']!r}"
    return f"`{where}`: {message[0].lower()}{message[1:]}{shown}" if where else message


def _known_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that are valid where `location` points, as far as plain nesting and unions by `kind` can be followed."""
    models = [model]
    for step in location[:-1]:
        if not isinstance(step, str):
            continue
        named = [m for m in models if _kind_of(m) == step]
        models = named or [inner for m in models if step in m.model_fields for inner in _models_in(m.model_fields[step].annotation)]
    return sorted({name for m in models for name in m.model_fields})


def _kind_of(model: type[BaseModel]) -> str | None:
    field = model.model_fields.get("kind")
    return next(iter(get_args(field.annotation)), None) if field else None


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    from pydantic import BaseModel

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [inner for part in get_args(annotation) for inner in _models_in(part)]
