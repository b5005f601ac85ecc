"""The jobs from a data set to its crops and its ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline import layout, provenance, registry
from pipeline.config import Config, DatasetSettings, DetectionSettings, TargetSettings
from pipeline.io.files import expand
from pipeline.jobs.folders import listing
from pipeline.jobs.job import Parts
from pipeline.jobs.weights import SHIPPED_WEIGHTS, library_sources, own_files
from pipeline.keywords import keywords_of
from pipeline.records import FacemillError
from pipeline.settings import as_values
from pipeline.settings import detection_of as settings_of_detection

PAGE_FILES = "pipeline/report/templates"
"""What the report's page is made with, from the project's root."""
OWN_FILES = (f"{SHIPPED_WEIGHTS}/", f"{PAGE_FILES}/")
READER_OPTIONS = ("frame_step", "licence")
"""Settings of a data set that reach the readers which have a keyword of that name."""


def located(path: str) -> Path:
    """Where an input of a job stands: environment variables filled in, and what the package ships found at the
    project's root, whatever folder the verb is run from. Other relative paths are the caller's."""
    return provenance.ROOT / path if path.startswith(OWN_FILES) else expand(path)


def path_of(config: Config, stage: str, name: str, **wildcards: object) -> str:
    """One output path of a stage."""
    return layout.outputs(config.results, stage, **wildcards)[name]


def per_shard(config: Config, stage: str, name: str, **wildcards: object) -> list[str]:
    """One output path of a stage for every shard."""
    return [path_of(config, stage, name, shard=shard, **wildcards) for shard in range(config.shards)]


def dataset_of(config: Config, dataset: str) -> DatasetSettings:
    """The settings of a data set; FacemillError for an unknown one."""
    if dataset not in config.datasets:
        raise FacemillError(registry.unknown("data set", dataset, sorted(config.datasets)))
    return config.datasets[dataset]


def target_of(config: Config, target: str) -> TargetSettings:
    """The settings of a target; FacemillError for an unknown one."""
    if target not in config.targets:
        raise FacemillError(registry.unknown("target", target, sorted(config.targets)))
    return config.targets[target]


def root_of(config: Config, dataset: str) -> str:
    """The folder of a data set, with its environment variables unexpanded."""
    block = dataset_of(config, dataset)
    made = "synthetic" if block.scans is None else "scans"
    return block.root or f"{config.results}/{made}/{dataset}/images"


def is_benchmark(config: Config, dataset: str) -> bool:
    """Whether a data set is for testing; its pictures are never split for training or selection."""
    return not any(dataset in (*model.train, *model.unlabelled) for model in config.models.values())


def without_truth(config: Config, dataset: str) -> bool:
    """Whether models learn from a data set without looking at its truth, and nothing else asks for it."""
    models = config.models.values()
    looked_at = any(dataset in model.train for model in models)
    looked_at |= any(pack.dataset == dataset for pack in config.packs)
    return any(dataset in model.unlabelled for model in models) and not looked_at


def splits_of(config: Config, dataset: str) -> list[str]:
    """The packs of a data set: test for a benchmark, train and (with a validation share) val for the others; without
    truth nothing is held out."""
    if is_benchmark(config, dataset):
        return ["test"]
    return ["train", "val"] if validation_of(config, dataset) > 0 else ["train"]


def validation_of(config: Config, dataset: str) -> float:
    """The share of a data set that chooses the weights."""
    return 0.0 if without_truth(config, dataset) else dataset_of(config, dataset).validation


def leaks_of(config: Config, dataset: str) -> list[str]:
    """The table of a training set's copies; none of a benchmark, or where the config asks for no check."""
    checked = config.leaks.check and not is_benchmark(config, dataset)
    return [path_of(config, "leaks", "leaks", dataset=dataset)] if checked else []


def face_model(config: Config, dataset: str | None = None) -> Parts:
    """What a job needs that uses the face model (a data set's own, where it has one): files, settings, module."""
    block = config.face_model
    if dataset is not None:
        block = dataset_of(config, dataset).face_model or block
    return (
        {"face_model": [path for path in (block.path, block.chart) if path]},
        {"face_model": as_values(block)},
        (registry.FACE_MODELS.module(block.id),),
    )


def detection_of(config: Config, dataset: str) -> DetectionSettings:
    """How the faces of a data set are found."""
    return settings_of_detection(config, dataset_of(config, dataset).detection)


def reader(config: Config, dataset: str) -> Parts:
    """What a job needs that reads a data set: its list of pictures, its folder and what is in it, its reader."""
    block = dataset_of(config, dataset)
    settings = {"reader": block.reader, "root": root_of(config, dataset)}
    if block.root is not None:
        settings["listing"] = listing(config, block.root)
    return (
        {"source": path_of(config, "source", "source", dataset=dataset)},
        settings,
        (registry.DATASETS.module(block.reader),),
    )


def fetch(config: Config, source: str) -> Parts:
    """A published file where the library looks for it. What its job leaves is a note that it is there, which all jobs
    that read the file wait for, so that no two download it."""
    from pipeline.io import sources

    row = sources.source(source)
    if not row.direct:
        raise FacemillError(
            f"{source} cannot be fetched by a program; type: python -m pipeline data fetch {source}"
        )
    return {}, {"file": row.name, "address": row.address, "size": row.size, "sha256": row.digits}, ()


def weights_behind(config: Config, dataset: str, seen: bool) -> dict[str, str]:
    """The weights behind the faces and the truth of a data set, for a network that sees its detected landmarks or does
    not: file (the note of a published one) -> what it does."""
    detection = detection_of(config, dataset)
    if not seen:
        detection = detection.model_copy(update={"points": "own"})
    roles = {"weights": "box detector", "fan_weights": "landmark network", "depth_weights": "depth network"}
    found = {path: role for key, role in roles.items() for path in own_files(detection).get(key, [])}
    for source, key in library_sources(detection).items():
        found[path_of(config, "fetch", "fetched", source=source)] = roles[key]
    if labelled(config, dataset) and config.labelling.weights:
        found[config.labelling.weights] = "labeller"
    return found


def synthesise(config: Config, dataset: str, shard: str) -> Parts:
    """One shard of a synthetic data set, from nothing but numbers."""
    block = dataset_of(config, dataset)
    if block.synthetic is None:
        raise FacemillError(f"data set {dataset} is not synthetic; it stands in {block.root}")
    inputs, face, modules = face_model(config, dataset)
    settings = {**face, "seed": config.seed, "shards": config.shards, "synthetic": as_values(block.synthetic)}
    return inputs, settings | {"images": root_of(config, dataset)}, modules


def render_scans(config: Config, dataset: str, shard: str) -> Parts:
    """One shard of a data set of rendered scans. The scans themselves are the user's, as data sets that exist are."""
    block = dataset_of(config, dataset)
    if block.scans is None:
        raise FacemillError(f"data set {dataset} has no scans to render; expected datasets.{dataset}.scans")
    settings = {"seed": config.seed, "shards": config.shards, "scans": as_values(block.scans)}
    settings["listing"] = listing(config, block.scans.root)
    return {}, settings | {"images": root_of(config, dataset)}, ()


def source(config: Config, dataset: str) -> Parts:
    """A data set's list of pictures."""
    block = dataset_of(config, dataset)
    _, settings, modules = reader(config, dataset)
    inputs: dict[str, Any] = {}
    if block.synthetic is not None:
        inputs["manifests"] = per_shard(config, "synthesise", "manifest", dataset=dataset)
    if block.scans is not None:
        inputs["rendered"] = per_shard(config, "render_scans", "manifest", dataset=dataset)
    settings |= {"subset": block.subset, "every": block.every, "benchmark": is_benchmark(config, dataset)}
    taken = keywords_of(registry.DATASETS.module(block.reader), block.reader)
    options = {name: getattr(block, name) for name in READER_OPTIONS if name in taken}
    if options := {name: value for name, value in options.items() if value is not None}:
        settings["options"] = options
    return inputs, settings, modules


def detect(config: Config, dataset: str, shard: str) -> Parts:
    """Boxes and landmarks of one shard. Annotations reach it with ``detector: annotation`` and no other."""
    inputs, settings, reader_modules = reader(config, dataset)
    detection = detection_of(config, dataset)
    modules = (registry.DETECTORS.module(detection.detector),)
    if detection.detector == "annotation":
        face_inputs, face_settings, face_modules = face_model(config, dataset)
        inputs |= face_inputs
        settings |= face_settings
        modules += reader_modules + face_modules
    else:
        settings.pop("reader")
    files = own_files(detection)
    inputs["boxes"] = files.pop("boxes", [])
    inputs["weights"] = [path for key in sorted(files, reverse=True) for path in files[key]]
    fetched = [path_of(config, "fetch", "fetched", source=name) for name in library_sources(detection)]
    inputs |= {"fetched": fetched} if fetched else {}
    return inputs, settings | {"shards": config.shards, "detection": as_values(detection)}, modules


def labelled(config: Config, dataset: str) -> bool:
    """Whether the dense truth of a data set is the labeller's."""
    return dataset_of(config, dataset).labels == "tddfa" and not without_truth(config, dataset)


def crop(config: Config, frame: str, dataset: str, shard: str) -> Parts:
    """One shard of faces in one frame."""
    inputs, settings, _ = reader(config, dataset)
    inputs |= layout.outputs(config.results, "detect", dataset=dataset, shard=shard)
    settings.pop("reader")
    settings |= {
        "shards": config.shards,
        "whole": detection_of(config, dataset).detector == "whole",
        "crop": as_values(config.crop),
    }
    return inputs, settings, (registry.FRAMES.module(frame),)


def reap(config: Config, frame: str, target: str, dataset: str) -> Parts:
    """The balance of one data set."""
    at = {"frame": frame, "target": target, "dataset": dataset}
    inputs = {
        "source": path_of(config, "source", "source", dataset=dataset),
        "detect": per_shard(config, "detect", "status", dataset=dataset),
        "crop": per_shard(config, "crop", "status", frame=frame, dataset=dataset),
        "ground_truth": per_shard(config, "ground_truth", "status", **at),
        "leaks": leaks_of(config, dataset),
    }
    if labelled(config, dataset):
        inputs["label"] = per_shard(config, "label", "status", dataset=dataset)
    return inputs, {"shards": config.shards}, ()


def contact_sheet(config: Config, frame: str, target: str, dataset: str) -> Parts:
    """Examples of each reason, from the pictures themselves."""
    at = {"frame": frame, "target": target, "dataset": dataset}
    inputs, settings, _ = reader(config, dataset)
    inputs |= layout.outputs(config.results, "reap", **at)
    inputs["detections"] = per_shard(config, "detect", "detections", dataset=dataset)
    return inputs, {"root": settings["root"]}, ()
