"""The user's files and folders that a config names: whether they are there, and what gets those that are not."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.config import Config, FaceModelSettings
from pipeline.io.published import absent
from pipeline.jobs.data import dataset_of, detection_of, labelled, located
from pipeline.jobs.models import MASKS, used
from pipeline.jobs.references import benchmarks_of_tddfa
from pipeline.jobs.weights import own_files
from pipeline.records import FacemillError
from pipeline.settings import training_of

WEIGHTS = ("weights", "fan_weights", "depth_weights")


def named(config: Config, datasets: Iterable[str]) -> list[tuple[str, str]]:
    """Every such path with the setting that names it, environment variables unexpanded, as far as these data sets and
    the models ask for it."""
    found = _of_face_model("face_model", config.face_model)
    for name in datasets:
        dataset, detection = dataset_of(config, name), detection_of(config, name)
        found.append((f"datasets.{name}.root", dataset.root))
        if dataset.scans is not None:
            found += [
                (f"datasets.{name}.scans.{key}", getattr(dataset.scans, key)) for key in ("root", "landmarks")
            ]
        if dataset.face_model is not None:
            found += _of_face_model(f"datasets.{name}.face_model", dataset.face_model)
        for key, paths in own_files(detection).items():
            where = f"datasets.{name}.detection" if key in dataset.detection else "detection"
            found += [(f"{where}.{key}", path) for path in paths]
        if labelled(config, name):
            found += [
                (f"labelling.{key}", getattr(config.labelling, key)) for key in ("weights", "statistics")
            ]
    for name, files in config.evaluation.given.items():
        found += [(f"evaluation.given.{name}.{benchmark}", path) for benchmark, path in files.items()]
    if benchmarks_of_tddfa(config):
        block = config.evaluation.tddfa
        found += [(f"evaluation.tddfa.{key}", getattr(block, key)) for key in ("weights", "statistics")]
    for key in ("texels", "published"):
        found.append((f"evaluation.{key}", getattr(config.evaluation, key)))
    for name, model in config.models.items():
        training = training_of(config, model.training)
        for key in MASKS:
            where = f"models.{name}.training" if key in model.training else "training"
            found.append((f"{where}.{key}", getattr(training, key)))
    return [(where, path) for where, path in found if path is not None]


def mentioned(config: Config) -> list[str]:
    """Every such path, of all data sets, and those of detection and labelling that no job reads as things stand: the
    preset's weights of a detector that one's own photos will have."""
    blocks = (config.detection, *(detection_of(config, name) for name in config.datasets))
    spare = [getattr(block, key) for block in blocks for key in WEIGHTS]
    spare += [config.labelling.weights, config.labelling.statistics]
    return [path for _, path in named(config, config.datasets)] + [path for path in spare if path is not None]


def require_data(config: Config) -> None:
    """Raise FacemillError for the first file or folder that the chain needs and that is not there, with what to do."""
    for where, path in named(config, sorted({dataset for _, _, dataset in used(config)})):
        place = located(path)
        if not place.exists():
            found = f"expected a file or folder, found nothing at {place}{_way_out(where, path)}"
            raise FacemillError(f"{where}: {absent(place) or found}")


def _way_out(where: str, path: str) -> str:
    """How to get a file or folder that is missing; empty where nobody but the user knows."""
    from pipeline.io import sources

    if rows := sources.providing(path):
        return f"; type: python -m pipeline data fetch {' '.join(row.id for row in rows)}"
    if "face_model." in where:
        return "; docs/face_models.md says which files each face model is read from"
    return ""


def _of_face_model(where: str, block: FaceModelSettings) -> list[tuple[str, str | None]]:
    return [(f"{where}.path", block.path), (f"{where}.chart", block.chart)]
