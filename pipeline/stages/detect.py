"""detect: pictures -> boxes -> 68 landmarks, once for all frames. One job is a shard of a data set's pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch

from pipeline.config import DetectionSettings
from pipeline.datasets.plausible import checked
from pipeline.detect.base import Annotate, Detector, Face, Sight
from pipeline.detect.second_look import SecondLook
from pipeline.io import hdf5
from pipeline.io.files import expand
from pipeline.io.images import PIXELS_AT_ONCE, UnreadablePicture, read_picture
from pipeline.io.published import BOXED
from pipeline.io.tables import read_tsv, write_status
from pipeline.morphable import load_face_model
from pipeline.records import DETECTIONS, SOURCE_COLUMNS, Reason, StatusRow
from pipeline.registry import DATASETS, DETECTORS
from pipeline.seeding import shard_of


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Detect the faces of one shard: `inputs` source; `outputs` detections (h5) and status (tsv); `settings`
    reader, root, shards, detection and, for `detector: annotation`, face_model. The group `rejected` of the file
    holds the faces with a reason, for the census and for contact sheets."""
    torch.set_num_threads(1)
    detection = DetectionSettings.model_validate(settings["detection"])
    annotate = _annotate(settings) if detection.detector == "annotation" else None
    detector = DETECTORS[detection.detector](detection, annotate)
    if detection.points == "fan" and detection.detector not in BOXED:
        detector = SecondLook(detector, detection)
    rows = read_tsv(inputs["source"], SOURCE_COLUMNS)
    shard, shards = int(wildcards["shard"]), int(settings["shards"])
    rows = [row for row in rows if shard_of(row["id"], shards) == shard]
    found: list[tuple[str, str, Face]] = []
    status: list[StatusRow] = []
    for picture, faces in detect_pictures(detector, rows, expand(settings["root"]), detection.batch):
        status += status_rows(picture, faces)
        if not isinstance(faces, StatusRow):
            found += [(f"{picture}#{k}", picture, face) for k, face in enumerate(faces)]
    going = [entry for entry in found if entry[2].reason is None]
    with hdf5.create(outputs["detections"], DETECTIONS, len(going), attributes=attributes) as file:
        fill(file, going)
        rejected = [entry for entry in found if entry[2].reason is not None]
        hdf5.create_datasets(file.create_group("rejected"), DETECTIONS, len(rejected))
        fill(file["rejected"], rejected)
    write_status(outputs["status"], status)


def fill(group: h5py.Group, faces: list[tuple[str, str, Face]]) -> None:
    """Write faces (name, picture, face) into the datasets of the detection contract."""
    for k, (name, picture, face) in enumerate(faces):
        group["face"][k], group["picture"][k] = name, picture
        group["box"][k], group["score"][k] = face.box, face.score
        group["landmarks68"][k], group["landmark_score"][k] = face.landmarks, face.landmark_score
        group["landmark_depth"][k] = np.nan if face.depth is None else face.depth
        group["seen68"][k] = face.landmarks if face.seen is None else face.seen


def detect_pictures(
    detector: Detector, rows: list[dict[str, str]], root: Path, batch: int
) -> Iterator[tuple[str, list[Face] | StatusRow]]:
    """Each picture of `rows` (of a source table) with its faces, best first, or the status row that says why it
    could not be read or has none."""
    results: dict[str, list[Face] | StatusRow] = {}
    sights: dict[str, Sight] = {}
    for row in rows:
        results[row["id"]] = []
        try:
            image = read_picture(root / row["path"])
        except UnreadablePicture as problem:
            words = str(problem).removeprefix(f"{root}/")
            results[row["id"]] = StatusRow(row["id"], row["id"], "detect", Reason.UNREADABLE, None, words)
        else:
            paths = list(filter(None, row["annotations"].split(";"))) if detector.uses_annotations else []
            place = (row["path"], root) if detector.uses_paths else ()
            sights[row["id"]] = Sight(image, tuple(str(root / path) for path in paths if path), *place)
        pixels = sum(sight.image.shape[0] * sight.image.shape[1] for sight in sights.values())
        if len(results) == batch or pixels > PIXELS_AT_ONCE:
            yield from _detected(detector, results, sights)
            results, sights = {}, {}
    yield from _detected(detector, results, sights)


def _detected(
    detector: Detector, results: dict[str, list[Face] | StatusRow], sights: dict[str, Sight]
) -> Iterator[tuple[str, list[Face] | StatusRow]]:
    for picture, faces in zip(sights, detector.detect(list(sights.values())), strict=True):
        if isinstance(faces, str):
            faces = StatusRow(picture, picture, "detect", Reason.NO_FACE, None, faces)
        results[picture] = faces
    yield from results.items()


def status_rows(picture: str, faces: list[Face] | StatusRow) -> list[StatusRow]:
    """One row a face, or one for a picture that cannot be read or has none; the value of a face that goes on is
    its box's score."""
    if isinstance(faces, StatusRow):
        return [faces]
    if not faces:
        return [StatusRow(picture, picture, "detect", Reason.NO_FACE)]
    return [
        StatusRow(
            f"{picture}#{k}",
            picture,
            "detect",
            face.reason,
            face.score if face.reason is None else face.value,
            face.detail,
        )
        for k, face in enumerate(faces)
    ]


def _annotate(settings: Mapping[str, Any]) -> Annotate:
    """The landmarks of an annotation file, by the data set's reader: the file's own, else the face model's."""
    reader = DATASETS[settings["reader"]]()
    model = cache(lambda: load_face_model(**settings["face_model"]))

    def landmarks(path: str, height: int) -> np.ndarray:
        annotation = reader.annotation(Path(path), height)
        if annotation.landmarks68 is not None:
            return annotation.landmarks68
        return checked(annotation, model(), Path(path).name).landmarks(model())

    return landmarks
