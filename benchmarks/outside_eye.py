"""An outside eye on synthetic faces: how many FaceBoxes' published weights find, and how far 3DDFA_V2's network is off.

    python -m benchmarks.outside_eye [--face-model ict --path FILE] [--pictures 500] [--weights FILE] [--labeller FILE]
        [--sheet PNG]

Pictures are rendered in memory by the synthesiser with the default's settings, one ordinary face each, |yaw| up to 45
degrees. The first set has hair, but no cap, no glasses and nothing before the face; in the second set the same people
each have one thing before the face, a hand, a phone, a mask. A face is found when a box of at least the asked score
overlaps its landmarks' box by OVERLAP. With `--labeller`, the mean distance of its 68 landmarks from the synthesiser's,
per cent of sqrt(w h), one pass cut by the true landmarks: the two face models mean different points by some landmarks,
so that this is no error of the network alone. Files are those of FACEMILL_DATA unless named.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pipeline.config import LabellingSettings, SyntheticSettings
from pipeline.datasets.synthetic.anatomy import HeadModel
from pipeline.datasets.synthetic.picture import FaceTruth, Rendered, Synthesiser
from pipeline.datasets.synthetic.plan import Kind
from pipeline.detect.boxes import BoxFinder
from pipeline.detect.loading import load_faceboxes
from pipeline.detect.tddfa import Labeller
from pipeline.detect.tddfa import Seen as Face
from pipeline.detect.tddfa_weights import load_tddfa
from pipeline.geometry.boxes import iou, landmark_box
from pipeline.io.files import expand
from pipeline.metrics.normalisers import box_size
from pipeline.metrics.points import nme
from pipeline.morphable import load_face_model
from pipeline.morphable.whitening import load_whitening
from pipeline.records import FacemillError

WEIGHTS = "${FACEMILL_DATA}/weights/FaceBoxesProd.pth"
STATISTICS = "${FACEMILL_DATA}/weights/mb05_param_mean_std.npz"
BFM = "${FACEMILL_DATA}/bfm/bfm_sim.npz"
OVERLAP = 0.3
"""Intersection over union of a detector's box with the landmarks', which are smaller: from brows to chin."""
BATCH = 20
SETS = {
    "without": {"cap": 0.0, "glasses": 0.0, "occluder": 0.0},
    "with one": {"cap": 0.0, "glasses": 0.0, "occluder": 1.0},
}
"""Shares of what is worn and held, by what stands before the face."""


@dataclass(frozen=True)
class Seen:
    """One face: its number, picture (h, w, 3) RGB, truth, whether a box was found on it, and the labeller's distance in
    per cent of sqrt(w h), NaN without a labeller."""

    index: int
    image: np.ndarray
    face: FaceTruth
    found: bool
    distance: float


def settings(pictures: int, yaw: float, worn: dict[str, float]) -> SyntheticSettings:
    """The default's settings with one ordinary face in each of ``pictures`` and |yaw| up to ``yaw`` degrees."""
    ordinary = {f"share_{kind.value}": 0.0 for kind in Kind if kind is not Kind.ORDINARY}
    return SyntheticSettings(pictures=pictures, identities=pictures, yaw_limit=yaw, **ordinary, **worn)


def pictures(maker: Synthesiser, count: int) -> Iterator[tuple[int, Rendered]]:
    """The first ``count`` pictures with their numbers."""
    for index in range(count):
        yield index, maker.picture(index)


def look(
    finder: BoxFinder, maker: Synthesiser, count: int, labeller: Labeller | None = None
) -> Iterator[Seen]:
    """The detector's and the labeller's verdict on the first ``count`` pictures."""
    held: list[tuple[int, Rendered]] = []
    for index, rendered in pictures(maker, count):
        held.append((index, rendered))
        if len(held) == BATCH or index == count - 1:
            boxes = finder.find([picture.image for _, picture in held])
            far = distances(labeller, [picture for _, picture in held])
            for (number, picture), (found, _), distance in zip(held, boxes, far, strict=True):
                face = picture.faces[0]
                yield Seen(number, picture.image, face, on_face(found, face.landmarks), distance)
            held = []


def distances(labeller: Labeller | None, held: Sequence[Rendered]) -> list[float]:
    """The labeller's distance on the face of each picture, per cent of sqrt(w h)."""
    if labeller is None:
        return [float("nan")] * len(held)
    truth = [picture.faces[0].landmarks[:, :2] for picture in held]
    labels = labeller.label(
        [Face(picture.image, landmark_box(t), t) for picture, t in zip(held, truth, strict=True)]
    )
    return [float(nme(a.landmarks[:, :2], t, box_size(t))) for a, t in zip(labels, truth, strict=True)]


def labeller_of(weights: str, statistics: str, face_model: str) -> Labeller:
    """The labeller of a checkpoint, one pass."""
    options = LabellingSettings(passes=1, pixels="exact", batch=BATCH)
    model = load_face_model("npz", face_model)
    return Labeller(load_tddfa(str(expand(weights))), load_whitening(expand(statistics)), model, options)


def on_face(boxes: np.ndarray, landmarks: np.ndarray) -> bool:
    """Whether one of the boxes (n, 4) lies on the face with these landmarks (68, 2 or 3), px."""
    return bool(len(boxes)) and bool((iou(boxes, landmark_box(landmarks[:, :2])) >= OVERLAP).any())


def write_sheet(path: Path, missed: Sequence[Seen], cell: int = 225, columns: int = 6) -> None:
    """The missed faces as one picture, left to right and top to bottom."""
    import cv2

    cells = [cv2.resize(seen.image, (cell, cell), interpolation=cv2.INTER_AREA) for seen in missed]
    cells += [np.zeros((cell, cell, 3), np.uint8)] * (-len(cells) % columns)
    rows = [np.concatenate(cells[start : start + columns], 1) for start in range(0, len(cells), columns)]
    cv2.imwrite(str(path), np.concatenate(rows)[:, :, ::-1])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line for each set of pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--face-model", default="procedural")
    parser.add_argument("--path", help="of the face model")
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--yaw", type=float, default=45.0, help="largest |yaw|, degrees")
    parser.add_argument("--score", type=float, default=0.5, help="least score of a box")
    parser.add_argument("--weights", default=WEIGHTS)
    parser.add_argument("--labeller", help="a checkpoint of 3DDFA_V2, as mb05_120x120.pth")
    parser.add_argument("--statistics", default=STATISTICS, help="of the labeller's parameters")
    parser.add_argument("--bfm", default=BFM, help="the labeller's face model, .npz")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheet", type=Path, help="write the missed faces without occluders there")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        finder = BoxFinder(load_faceboxes(str(expand(options.weights))), score=options.score)
        labeller = None
        if options.labeller:
            labeller = labeller_of(options.labeller, options.statistics, options.bfm)
        traits = HeadModel(load_face_model(options.face_model, options.path))
    except FacemillError as error:
        print(f"outside_eye: {error}", file=sys.stderr)
        return 1
    for name, worn in SETS.items():
        chosen = settings(options.pictures, options.yaw, worn)
        maker = Synthesiser(chosen, traits, options.seed, "outside_eye")
        seen = list(look(finder, maker, options.pictures, labeller))
        share = np.mean([face.found for face in seen])
        print(
            f"{options.face_model}, |yaw| <= {options.yaw:g}, {name} occluder: "
            f"{100 * share:.1f} % of {len(seen)} faces found at score {options.score:g}",
            flush=True,
        )
        if labeller is not None:
            far = np.array([face.distance for face in seen])
            print(
                f"    the labeller's 68 points: mean {far.mean():.2f} %, median {np.median(far):.2f} %",
                flush=True,
            )
        missed = [face for face in seen if not face.found]
        if options.sheet and missed and name == "without":
            write_sheet(options.sheet, missed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
