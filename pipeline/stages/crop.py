"""crop: detected faces -> square crops in one frame. One job is a shard of a data set's pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.config import CropSettings
from pipeline.geometry.boxes import box_area, box_centre, inside_share, landmark_box
from pipeline.geometry.frames import CropTransform
from pipeline.geometry.resample import crop_image, to_gray
from pipeline.io import hdf5
from pipeline.io.files import expand
from pipeline.io.images import UnreadablePicture, read_picture
from pipeline.io.tables import read_tsv, write_status
from pipeline.records import CROPS, DETECTIONS, SOURCE_COLUMNS, FacemillError, Reason, StatusRow
from pipeline.registry import FRAMES
from pipeline.seeding import shard_of


@dataclass(frozen=True, eq=False)
class Detected:
    """The faces of one picture that detection let through: names, boxes (n, 4), scores (n,), landmarks (n, 68, 2) and
    those that networks see (n, 68, 2)."""

    faces: list[str]
    boxes: np.ndarray
    scores: np.ndarray
    landmarks: np.ndarray
    seen: np.ndarray


@dataclass(frozen=True, eq=False)
class Crop:
    """One crop: face, picture, pixels (F, F, 3) uint8, of a gray frame (F, F, 1), transform, (height, width) of the
    picture, and the landmarks (68, 2) that networks see, in pixels of the picture."""

    face: str
    picture: str
    image: np.ndarray
    transform: CropTransform
    picture_size: tuple[int, int]
    seen: np.ndarray


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Crop one shard: `inputs` source, detections; `outputs` crops (h5), status (tsv); `settings` root, shards,
    whole (the picture is the crop already), crop. Pictures that repeat an earlier one are left out."""
    options = CropSettings.model_validate(settings["crop"])
    frame = FRAMES[wildcards["frame"]]
    root, whole = expand(settings["root"]), bool(settings["whole"])
    shard, shards = int(wildcards["shard"]), int(settings["shards"])
    detected = read_detections(inputs["detections"])
    crops: list[Crop] = []
    status: list[StatusRow] = []
    for row in read_tsv(inputs["source"], SOURCE_COLUMNS):
        picture = row["id"]
        if shard_of(picture, shards) != shard or row["duplicate_of"] or picture not in detected:
            continue
        faces = detected[picture]
        try:
            image = read_picture(root / row["path"])
        except UnreadablePicture as problem:
            detail = str(problem).removeprefix(f"{root}/")
            status += [StatusRow(f, picture, "crop", Reason.UNREADABLE, None, detail) for f in faces.faces]
            continue
        for result in crop_picture(picture, image, faces, frame, options, whole, row["split"] == "test"):
            if isinstance(result, Crop):
                crops.append(result)
                result = StatusRow(result.face, picture, "crop", None, result.transform.scale)
            status.append(result)
    sizes = {"F": frame.size, "C": 1 if frame.colour == "gray" else 3}
    more = {"colour": frame.colour, "padding": frame.padding}
    with hdf5.create(outputs["crops"], CROPS, len(crops), sizes, {**attributes, **more}) as file:
        for k, crop in enumerate(crops):
            file["face"][k], file["picture"][k] = crop.face, crop.picture
            file["image"][k], file["transform"][k] = crop.image, crop.transform.to_array()
            file["picture_size"][k], file["detected68"][k] = crop.picture_size, crop.seen
    write_status(outputs["status"], status)


def read_detections(path: str) -> dict[str, Detected]:
    """The faces of a shard's detections by picture, in the order of the file."""
    with hdf5.open_checked(path, DETECTIONS) as file:
        faces, pictures = hdf5.texts(file["face"]), hdf5.texts(file["picture"])
        boxes, scores = file["box"][:], file["score"][:]
        landmarks, seen = (file[name][:].astype(np.float64) for name in ("landmarks68", "seen68"))
    index: dict[str, list[int]] = {}
    for k, picture in enumerate(pictures):
        index.setdefault(picture, []).append(k)
    return {
        picture: Detected([faces[k] for k in rows], boxes[rows], scores[rows], landmarks[rows], seen[rows])
        for picture, rows in index.items()
    }


def crop_picture(
    picture: str,
    image: np.ndarray,
    faces: Detected,
    frame: Any,
    options: CropSettings,
    whole: bool = False,
    inference: bool = False,
) -> Iterator[Crop | StatusRow]:
    """For each face of one picture its crop, or the status row that says why there is none."""
    height, width = image.shape[:2]
    count = len(faces.faces)
    chosen = choose(faces, options.choose, height, width)
    for k, face in enumerate(faces.faces):
        if options.faces == "one" and count > 1:
            yield StatusRow(face, picture, "crop", Reason.SEVERAL_FACES, count, f"{count} faces")
            continue
        if options.faces == "best" and k != chosen:
            detail = f"{faces.faces[chosen]} has the better {options.choose}"
            yield StatusRow(face, picture, "crop", Reason.ANOTHER_CHOSEN, float(faces.scores[k]), detail)
            continue
        if whole:
            transform = CropTransform.whole(height, width, frame.size)
        else:
            legacy = options.resample == "cv2_uint8"
            try:
                transform = frame.from_detection(
                    faces.landmarks[k],
                    faces.boxes[k],
                    inference=inference,
                    legacy=legacy,
                    picture=(height, width),
                )
            except FacemillError as problem:
                yield StatusRow(face, picture, "crop", Reason.IMPLAUSIBLE, None, str(problem)[:120])
                continue
            outside = 1.0 - float(inside_share(landmark_box(faces.landmarks[k]), height, width))
            if outside > options.outside:
                detail = f"{outside:.0%} of the landmark box is not in the picture"
                yield StatusRow(face, picture, "crop", Reason.OUTSIDE_FRAME, outside, detail)
                continue
        pixels = crop_image(image, transform, frame.padding, options.resample, frame.peer_interpolation)
        if frame.colour == "gray":
            pixels = to_gray(pixels)
        yield Crop(face, picture, pixels, transform, (height, width), faces.seen[k])


def choose(faces: Detected, rule: str, height: int, width: int) -> int:
    """The number of the best face: highest 'score', largest box ('size'), or nearest to the middle ('central')."""
    if rule == "size":
        return int(np.argmax(box_area(faces.boxes)))
    if rule == "central":
        middle = np.array([width - 1, height - 1]) / 2
        return int(np.argmin(np.linalg.norm(box_centre(faces.boxes) - middle, axis=1)))
    return int(np.argmax(faces.scores))
