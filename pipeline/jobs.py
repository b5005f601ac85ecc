"""Every job of the chain, described once: what it reads, what it writes, which settings and which code decide it.

The Snakemake rules, the verbs of ``python -m pipeline`` and ``why`` all ask here, so that they cannot disagree. The
settings of a job are all the config values that its stage gets to see; a value that is not among them cannot change
its result, and so does not make it run again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline import layout, provenance, registry
from pipeline.config import Config
from pipeline.records import FacemillError
from pipeline.settings import as_values, merge

SHIPPED_WEIGHTS = Path(__file__).parent / "detect" / "weights"


@dataclass(frozen=True)
class Job:
    """One job: inputs and outputs by name (a path, or a list of paths), settings, and the modules that decide it."""

    stage: str
    wildcards: dict[str, str]
    inputs: dict[str, str | list[str]]
    outputs: dict[str, str]
    settings: dict[str, Any]
    modules: tuple[str, ...]

    @property
    def code(self) -> str:
        """The digest of the code that decides the result."""
        return provenance.code_digest(*self.modules)

    def as_json(self) -> str:
        """The job as canonical JSON, the form in which rules hand it to verbs."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Job:
        """The job that ``as_json`` wrote."""
        values = json.loads(text)
        return cls(**{**values, "modules": tuple(values["modules"])})

    @property
    def command(self) -> str:
        """What a person types for this job."""
        return " ".join(
            ["python -m pipeline", self.stage, *(f"--{k} {v}" for k, v in self.wildcards.items())]
        )

    @property
    def settings_digest(self) -> str:
        """A hash of the settings, as HDF5 files carry it."""
        text = json.dumps(self.settings, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def attributes(self) -> dict[str, str]:
        """What every HDF5 file of this job carries about its making; nothing here differs between two equal runs."""
        libraries = {
            name[len("library ") :]: value
            for name, value in provenance.code_parts(*self.modules).items()
            if name.startswith("library ")
        }
        return {
            "frame": self.wildcards.get("frame", "picture"),
            "units": "pixels",
            "config_hash": self.settings_digest,
            "code_digest": self.code,
            "libraries": json.dumps(libraries, sort_keys=True),
            "command": self.command,
        }

    @property
    def files(self) -> list[str]:
        """All input paths."""
        return [p for value in self.inputs.values() for p in ([value] if isinstance(value, str) else value)]


def job(config: Config, stage: str, **wildcards: object) -> Job:
    """The job of ``stage`` for these wildcards; FacemillError for a stage or a name that the config does not know."""
    if stage not in _STAGES:
        raise FacemillError(registry.unknown("stage", stage, sorted(_STAGES)))
    values = {name: str(value) for name, value in wildcards.items()}
    inputs, settings, modules = _STAGES[stage](config, **values)
    return Job(
        stage,
        values,
        inputs,
        layout.outputs(config.results, stage, **values),
        settings,
        (f"pipeline.stages.{stage}", *modules),
    )


_Parts = tuple[dict[str, Any], dict[str, Any], tuple[str, ...]]


def _of(config: Config, stage: str, name: str, **wildcards: object) -> str:
    return layout.outputs(config.results, stage, **wildcards)[name]


def _per_shard(config: Config, stage: str, name: str, **wildcards: object) -> list[str]:
    return [_of(config, stage, name, shard=shard, **wildcards) for shard in range(config.shards)]


def dataset_of(config: Config, dataset: str) -> Any:
    """The settings of a data set; FacemillError for an unknown one."""
    if dataset not in config.datasets:
        raise FacemillError(registry.unknown("data set", dataset, sorted(config.datasets)))
    return config.datasets[dataset]


def root_of(config: Config, dataset: str) -> str:
    """The folder of a data set, with its environment variables unexpanded."""
    return dataset_of(config, dataset).root or f"{config.results}/synthetic/{dataset}/images"


def _face_model(config: Config) -> tuple[dict[str, Any], tuple[str, ...]]:
    return {"face_model": as_values(config.face_model)}, (registry.FACE_MODELS.module(config.face_model.id),)


def _reader(config: Config, dataset: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    block = dataset_of(config, dataset)
    settings = {"reader": block.reader, "root": root_of(config, dataset)}
    return settings, (registry.DATASETS.module(block.reader),)


def _synthesise(config: Config, dataset: str, shard: str) -> _Parts:
    face, modules = _face_model(config)
    block = dataset_of(config, dataset)
    if block.synthetic is None:
        raise FacemillError(f"data set {dataset} is not synthetic; it stands in {block.root}")
    return (
        {},
        {
            **face,
            "seed": config.seed,
            "shards": config.shards,
            "synthetic": as_values(block.synthetic),
        },
        modules,
    )


def _source(config: Config, dataset: str) -> _Parts:
    block = dataset_of(config, dataset)
    settings, modules = _reader(config, dataset)
    inputs: dict[str, Any] = {}
    if block.synthetic is not None:
        inputs["manifests"] = _per_shard(config, "synthesise", "manifest", dataset=dataset)
    settings |= {"subset": block.subset, "every": block.every, "benchmark": is_benchmark(config, dataset)}
    return inputs, settings, modules


def is_benchmark(config: Config, dataset: str) -> bool:
    """Whether a data set is for testing; its pictures are never split for training or selection."""
    return not any(dataset in model.train for model in config.models.values())


def _detect(config: Config, dataset: str, shard: str) -> _Parts:
    settings, reader = _reader(config, dataset)
    detection = config.detection
    inputs: dict[str, Any] = {"source": _of(config, "source", "source", dataset=dataset)}
    modules = (registry.DETECTORS.module(detection.detector),)
    if detection.detector == "annotation":
        modules += reader
    weights = [_weights_file(detection.weights, "detector"), _weights_file(detection.fan_weights, "fan")]
    inputs["weights"] = [w for w in weights if w] if detection.detector == "faceboxes" else []
    return (
        inputs,
        {**settings, "shards": config.shards, "detection": as_values(detection)},
        modules,
    )


def _weights_file(weights: str, name: str) -> str | None:
    if weights == "shipped":
        return str((SHIPPED_WEIGHTS / f"{name}.safetensors").relative_to(provenance.ROOT))
    return None if weights == "library" else weights


def _crop(config: Config, frame: str, dataset: str, shard: str) -> _Parts:
    inputs = {
        "source": _of(config, "source", "source", dataset=dataset),
        **layout.outputs(config.results, "detect", dataset=dataset, shard=shard),
    }
    settings = {
        "root": root_of(config, dataset),
        "shards": config.shards,
        "whole": config.detection.detector == "whole",
        "crop": as_values(config.crop),
    }
    return inputs, settings, (registry.FRAMES.module(frame),)


def _ground_truth(config: Config, frame: str, target: str, dataset: str, shard: str) -> _Parts:
    face, face_modules = _face_model(config)
    reader, reader_modules = _reader(config, dataset)
    block = target_of(config, target)
    inputs: dict[str, Any] = {
        "source": _of(config, "source", "source", dataset=dataset),
        "detections": _of(config, "detect", "detections", dataset=dataset, shard=shard),
        **layout.outputs(config.results, "crop", frame=frame, dataset=dataset, shard=shard),
    }
    return (
        inputs,
        {**face, **reader, "target": as_values(block)},
        (*face_modules, *reader_modules, registry.TARGETS.module(block.kind)),
    )


def target_of(config: Config, target: str) -> Any:
    """The settings of a target; FacemillError for an unknown one."""
    if target not in config.targets:
        raise FacemillError(registry.unknown("target", target, sorted(config.targets)))
    return config.targets[target]


def _reap(config: Config, frame: str, target: str, dataset: str) -> _Parts:
    at = {"frame": frame, "target": target, "dataset": dataset}
    inputs = {
        "source": _of(config, "source", "source", dataset=dataset),
        "detect": _per_shard(config, "detect", "status", dataset=dataset),
        "crop": _per_shard(config, "crop", "status", frame=frame, dataset=dataset),
        "ground_truth": _per_shard(config, "ground_truth", "status", **at),
    }
    return inputs, {"shards": config.shards}, ()


def splits_of(config: Config, dataset: str) -> list[str]:
    """The packs of a data set: test for a benchmark, train and (with a validation share) val for the others."""
    if is_benchmark(config, dataset):
        return ["test"]
    return ["train", "val"] if dataset_of(config, dataset).validation > 0 else ["train"]


def _pack(config: Config, frame: str, target: str, dataset: str, split: str) -> _Parts:
    if split not in splits_of(config, dataset):
        raise FacemillError(
            f"data set {dataset} has no split {split}; it has {', '.join(splits_of(config, dataset))}"
        )
    at = {"frame": frame, "target": target, "dataset": dataset}
    inputs = {
        "kept": _of(config, "reap", "kept", **at),
        "crops": _per_shard(config, "crop", "crops", frame=frame, dataset=dataset),
        "ground_truth": _per_shard(config, "ground_truth", "ground_truth", **at),
    }
    block = target_of(config, target)
    settings = {
        "seed": config.seed,
        "validation": dataset_of(config, dataset).validation,
        "target": as_values(block),
    }
    return inputs, settings, (registry.TARGETS.module(block.kind),)


def model_of(config: Config, model: str) -> Any:
    """The settings of a model; FacemillError for an unknown one."""
    if model not in config.models:
        raise FacemillError(registry.unknown("model", model, sorted(config.models)))
    return config.models[model]


def packs_of(config: Config, model: str, split: str) -> list[str]:
    """The packs of one split that a model learns from."""
    block = model_of(config, model)
    return [
        _of(config, "pack", "pack", frame=block.frame, target=block.target, dataset=dataset, split=split)
        for dataset in block.train
        if split in splits_of(config, dataset)
    ]


def test_pack(config: Config, model: str, benchmark: str) -> str:
    """The pack of a benchmark in a model's frame and target."""
    block = model_of(config, model)
    return _of(
        config, "pack", "pack", frame=block.frame, target=block.target, dataset=benchmark, split="test"
    )


def _network(config: Config, model: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    block = model_of(config, model)
    target = target_of(config, block.target)
    settings = {"model": block.model, "network": block.settings, "target": as_values(target)}
    return settings, (registry.MODELS.module(block.model), registry.TARGETS.module(target.kind))


def _train(config: Config, model: str, seed: str) -> _Parts:
    face, face_modules = _face_model(config)
    network, modules = _network(config, model)
    block = model_of(config, model)
    training = merge(as_values(config.training), block.training)
    training.pop("seeds")
    inputs: dict[str, Any] = {
        "train": packs_of(config, model, "train"),
        "val": packs_of(config, model, "val"),
    }
    inputs["files"] = [path for key in ("init_from", "weights_png") if (path := training[key])]
    modules += (registry.LOSSES.module(training["loss"]), *face_modules)
    return inputs, {**face, **network, "frame": block.frame, "training": training}, modules


def seeds_of(config: Config, model: str) -> list[int]:
    """The seeds with which a model is trained."""
    return list(merge(as_values(config.training), model_of(config, model).training)["seeds"])


def _infer(config: Config, model: str, seed: str, benchmark: str) -> _Parts:
    network, modules = _network(config, model)
    inputs = {
        "weights": _of(config, "train", "weights", model=model, seed=seed),
        "pack": test_pack(config, model, benchmark),
    }
    return inputs, network, modules


_STAGES: dict[str, Callable[..., _Parts]] = {
    "synthesise": _synthesise,
    "source": _source,
    "detect": _detect,
    "crop": _crop,
    "ground_truth": _ground_truth,
    "reap": _reap,
    "pack": _pack,
    "train": _train,
    "infer": _infer,
}
