"""From YAML files and the command line to a checked Config."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from pipeline import checks, registry
from pipeline.config import Config, DetectionSettings, TrainingSettings
from pipeline.records import FacemillError

Block = TypeVar("Block", bound=BaseModel)

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = ROOT / "config.yaml"
PROTOCOLS = ROOT / "pipeline" / "evaluation" / "protocols"


def load(overlays: Iterable[str | Path] = (), assignments: Iterable[str] = ()) -> Config:
    """config.yaml, then the overlays in order (dicts merge, lists replace), then ``a.b=value`` assignments."""
    values = read_yaml(DEFAULT)
    for overlay in overlays:
        values = merge(values, read_yaml(overlay))
    for assignment in assignments:
        values = merge(values, parse_assignment(assignment))
    return parse(values)


def parse(values: Mapping[str, Any]) -> Config:
    """The checked Config, or FacemillError with one line for each thing that is wrong."""
    config = _validated(Config, _of_systems(_with_nulls(dict(values))))
    for table in ("models", "shipped"):
        for name, block in getattr(config, table).items():
            training_of(config, block.training, f"{table}.{name}.training.")
    for name, dataset in config.datasets.items():
        detection_of(config, dataset.detection, f"datasets.{name}.detection.")
    problems = list(checks.problems(config, protocol_names()))
    if problems:
        raise FacemillError("config: " + "; ".join(problems))
    return config


def _of_systems(values: dict[str, Any]) -> dict[str, Any]:
    """The values with those models alone that ``systems`` names, where it names some."""
    models, systems = values.get("models"), values.get("systems")
    if not isinstance(models, Mapping) or not isinstance(systems, list):
        return values
    known = [name for name, block in models.items() if block is not None]
    for name in systems:
        if name not in known:
            raise FacemillError(f"config: systems: {registry.unknown('model', str(name), known)}")
    return {**values, "models": {name: models[name] for name in known if name in systems}}


def _with_nulls(value: Any) -> Any:
    """The values with null where they hold the text "null", which Snakemake's ``--config`` makes of it."""
    if isinstance(value, Mapping):
        return {key: _with_nulls(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_nulls(inner) for inner in value]
    return None if value == "null" else value


def _validated(kind: type[Block], values: Mapping[str, Any], where: str = "") -> Block:
    """The values as a block of settings that stands at ``where``, a dotted path with a dot at its end."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(_explain(e, kind, where) for e in error.errors())
        raise FacemillError(f"config: {problems}") from error


def training_of(config: Config, overlay: Mapping[str, Any], where: str = "") -> TrainingSettings:
    """The training block with the own values of a model or a shipped network, which stand at ``where``, over it."""
    return _validated(TrainingSettings, merge(config.training.model_dump(), overlay), where)


def detection_of(config: Config, overlay: Mapping[str, Any], where: str = "") -> DetectionSettings:
    """The detection block with the own values of a data set, which stand at ``where``, over it."""
    return _validated(DetectionSettings, merge(config.detection.model_dump(), overlay), where)


def merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with ``overlay`` on top: dictionaries merge, everything else is replaced."""
    merged = dict(base)
    for key, value in overlay.items():
        inner = merged.get(key)
        merged[key] = (
            merge(inner, value) if isinstance(inner, Mapping) and isinstance(value, Mapping) else value
        )
    return merged


def read_yaml(path: str | Path) -> dict[str, Any]:
    """The mapping in a YAML file."""
    try:
        values = deepcopy(_yaml(Path(path).read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise FacemillError(f"no config file {path}") from error
    except OSError as error:
        raise FacemillError(f"{path}: cannot be read as a config file: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FacemillError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise FacemillError(f"{path}: expected a mapping of settings, found {type(values).__name__}")
    return values


@lru_cache(maxsize=256)
def _yaml(text: str) -> Any:
    """The value of a YAML text: every job of a workflow asks for the protocols anew."""
    return yaml.safe_load(text)


def parse_assignment(text: str) -> dict[str, Any]:
    """``training.lr=1e-3`` -> {"training": {"lr": ...}}; the value is read as YAML."""
    path, separator, value = text.partition("=")
    if not separator or not path:
        raise FacemillError(f"--set {text}: expected key=value, as in --set training.lr=1e-3")
    try:
        nested: Any = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise FacemillError(f"--set {text}: the value is not YAML: {' '.join(str(error).split())}") from error
    for key in reversed(path.split(".")):
        nested = {key: nested}
    return nested


def schema() -> dict[str, Any]:
    """The JSON schema of the configuration, as shipped in workflow/schemas/."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}


def as_values(config: BaseModel) -> dict[str, Any]:
    """The configuration as plain JSON values."""
    return json.loads(config.model_dump_json())


def protocol_names() -> list[str]:
    """The ids of the protocol files."""
    return sorted(path.stem for path in PROTOCOLS.glob("*.yaml"))


DEFAULT_PROTOCOLS = "default"
"""The word in evaluation.protocols for every protocol whose file says that it is scored by default."""


def protocols_of(config: Config) -> list[str]:
    """The ids of the protocols that a config names, each once; the word default stands for those whose files have a
    `default`, in the order of its numbers."""
    named = config.evaluation.protocols
    if DEFAULT_PROTOCOLS not in named:
        return list(dict.fromkeys(named))
    places = {name: read_yaml(PROTOCOLS / f"{name}.yaml").get("default") for name in protocol_names()}
    known = sorted((place, name) for name, place in places.items() if place is not None)
    inserted = [
        inner
        for name in named
        for inner in ([by_default for _, by_default in known] if name == DEFAULT_PROTOCOLS else [name])
    ]
    return list(dict.fromkeys(inserted))


def _explain(error: Mapping[str, Any], kind: type[BaseModel], block: str) -> str:
    """One pydantic error in a block of ``kind`` that stands at ``block``, as a person wants to read it."""
    where = block + ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        *parents, key = (str(part) for part in error["loc"])
        return f"{where}: {registry.unknown('key', key, sorted(_keys_at(parents, kind)))}"
    found = "" if error["type"] == "missing" else f", found {error.get('input')!r}"
    return f"{where}: {error['msg'][0].lower()}{error['msg'][1:]}{found}"


def _keys_at(parents: list[str], kind: Any) -> Iterable[str]:
    """The keys that the block at ``parents`` inside a block of ``kind`` allows."""
    for parent in parents:
        kind = kind.model_fields[parent].annotation if _is_block(kind) else get_args(kind)[-1]
        if get_origin(kind) is UnionType:
            kind = next(inner for inner in get_args(kind) if inner is not type(None))
    return kind.model_fields


def _is_block(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
