"""From YAML files and the command line to a checked Config."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from pipeline import registry
from pipeline.config import Config, TrainingSettings
from pipeline.records import FacemillError

Block = TypeVar("Block", bound=BaseModel)

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = ROOT / "config.yaml"
NAME = r"\w+"
"""What datasets, targets, models and shipped networks may be called: their names are parts of paths."""
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
    config = _validated(Config, dict(values))
    for table in ("models", "shipped"):
        for name, block in getattr(config, table).items():
            overlaid = merge(config.training.model_dump(), block.training)
            _validated(TrainingSettings, overlaid, f"{table}.{name}.training.")
    problems = list(_dangling(config))
    if problems:
        raise FacemillError("config: " + "; ".join(problems))
    return config


def _validated(kind: type[Block], values: Mapping[str, Any], where: str = "") -> Block:
    """The values as a block of settings that stands at ``where``, a dotted path with a dot at its end."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(_explain(e, kind, where) for e in error.errors())
        raise FacemillError(f"config: {problems}") from error


def training_of(config: Config, overlay: Mapping[str, Any]) -> TrainingSettings:
    """The training block with the own values of a model or a shipped network laid over it."""
    return TrainingSettings.model_validate(merge(config.training.model_dump(), overlay))


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
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FacemillError(f"no config file {path}") from error
    except yaml.YAMLError as error:
        raise FacemillError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise FacemillError(f"{path}: expected a mapping of settings, found {type(values).__name__}")
    return values


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


def keywords_of(module: str, name: str) -> list[str]:
    """The keyword-only arguments of a registered class or function, read from its source without importing it."""
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and _is_registered(node, name):
            function = node
            if isinstance(node, ast.ClassDef):
                functions = [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
                if not functions:
                    return []
                function = functions[0]
            return [argument.arg for argument in function.args.kwonlyargs]
    raise FacemillError(f"{module} does not register {name!r}")


def _is_registered(node: ast.ClassDef | ast.FunctionDef, name: str) -> bool:
    return any(
        isinstance(decorator, ast.Call)
        and decorator.args
        and isinstance(decorator.args[0], ast.Constant)
        and decorator.args[0].value == name
        for decorator in node.decorator_list
    )


def protocol_names() -> list[str]:
    """The ids of the protocol files."""
    return sorted(path.stem for path in PROTOCOLS.glob("*.yaml"))


def _dangling(config: Config) -> Iterable[str]:
    """Names in the config that nothing answers to."""

    def known(where: str, kind: str, name: str, names: Iterable[str]) -> Iterable[str]:
        names = sorted(names)
        if name not in names:
            yield f"{where}: {registry.unknown(kind, name, names)}"

    for table in ("datasets", "targets", "models", "shipped"):
        for key in getattr(config, table):
            if not re.fullmatch(NAME, key):
                yield f"{table}: expected a name of letters, digits and underscores, found {key!r}"
    if config.detection.weights == "library":
        yield "detection.weights: expected shipped or a path, found library, which is for detection.fan_weights"
    yield from known("face_model.id", "face model", config.face_model.id, registry.FACE_MODELS)
    yield from known("detection.detector", "detector", config.detection.detector, registry.DETECTORS)
    for key, dataset in config.datasets.items():
        yield from known(f"datasets.{key}.reader", "data set reader", dataset.reader, registry.DATASETS)
        if (dataset.root is None) == (dataset.synthetic is None):
            yield f"datasets.{key}: expected either root (it exists) or synthetic (it is made)"
    for key, target in config.targets.items():
        yield from known(f"targets.{key}.kind", "target", target.kind, registry.TARGETS)
    for key, model in config.models.items():
        where = f"models.{key}"
        unknown_model = list(known(f"{where}.model", "model", model.model, registry.MODELS))
        yield from unknown_model
        yield from known(f"{where}.frame", "frame", model.frame, registry.FRAMES)
        yield from known(f"{where}.target", "target", model.target, config.targets)
        for dataset in model.train:
            yield from known(f"{where}.train", "data set", dataset, config.datasets)
            if dataset in config.evaluation.benchmarks:
                yield f"evaluation.benchmarks: {dataset} is what {where} learns from; a benchmark is for testing only"
        loss = training_of(config, model.training).loss
        yield from known(f"{where}.training.loss", "loss", loss, registry.LOSSES)
        if not unknown_model:
            keywords = keywords_of(registry.MODELS.module(model.model), model.model)
            for name in model.settings:
                yield from known(f"{where}.settings", "setting", name, keywords)
    for benchmark in config.evaluation.benchmarks:
        yield from known("evaluation.benchmarks", "data set", benchmark, config.datasets)
    for protocol in config.evaluation.protocols:
        yield from known("evaluation.protocols", "protocol", protocol, protocol_names())
    for key, shipped in config.shipped.items():
        tasks = registry.PICTURE_TASKS.names()
        if shipped.task in tasks:
            keywords = keywords_of(registry.PICTURE_TASKS.module(shipped.task), shipped.task)
            for name in shipped.settings:
                yield from known(f"shipped.{key}.settings", "setting", name, keywords)
        else:
            hint = registry.suggestion(shipped.task, tasks)
            yield f"shipped.{key}.task: expected {' or '.join(tasks)}, found {shipped.task!r}.{hint}"
        yield from known(f"shipped.{key}.dataset", "data set", shipped.dataset, config.datasets)
    if config.census is not None:
        yield from known("census", "data set", config.census, config.datasets)


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
