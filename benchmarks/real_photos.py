"""Detectors and landmark networks on real photos: who is found, and how far the 68 points are off.

    python -m benchmarks.real_photos [--root FOLDER] [--score 0.92]

The pictures are AFLW2000-3D's (below `aflw2000-dev` of FACEMILL_DATA unless named), one annotated face each. A face is
found when a box, of the asked score for the shipped detector and of 0.5 for the published FaceBoxes, overlaps the box
of its true landmarks by OVERLAP; of several boxes the best one counts. FAN's faces must be plausible too, as in the
chain.
Distances are 2D, per cent of sqrt(w h) of the true landmarks' box, over the found faces, by true |yaw|.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from pipeline.config import DetectionSettings, LabellingSettings
from pipeline.datasets.aflw2000_3d import Aflw20003D
from pipeline.detect.base import Face, Sight
from pipeline.detect.faceboxes import FaceBoxesDetector
from pipeline.detect.tddfa import Doubt, Labeller, Seen
from pipeline.detect.tddfa_weights import load_tddfa
from pipeline.geometry.boxes import iou, landmark_box
from pipeline.io.files import expand
from pipeline.io.images import read_picture
from pipeline.metrics.normalisers import box_size
from pipeline.metrics.points import nme
from pipeline.metrics.summary import summarise
from pipeline.morphable import load_face_model
from pipeline.morphable.whitening import load_whitening
from pipeline.records import FacemillError

DATA = "${FACEMILL_DATA}"
OVERLAP = 0.3
BATCH = 40


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line for each pair of a detector and what finds the points."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", default=f"{DATA}/aflw2000-dev")
    parser.add_argument(
        "--score", type=float, default=DetectionSettings().score, help="of the shipped detector"
    )
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        compare(expand(options.root), options.score)
    except FacemillError as error:
        print(f"real_photos: {error}", file=sys.stderr)
        return 1
    return 0


def compare(root: Path, score: float) -> None:
    """All rows of the table."""
    images, truth, yaw = read(root)
    detectors = {
        "shipped detector": DetectionSettings(score=score),
        "published FaceBoxes": DetectionSettings(
            weights=str(expand(f"{DATA}/weights/FaceBoxesProd.pth")), score=0.5
        ),
    }
    boxes: dict[str, list[np.ndarray | None]] = {}
    for name, settings in detectors.items():
        faces = detected(FaceBoxesDetector(settings), images)
        boxes[name] = [best(found, t, lambda face: face.box) for found, t in zip(faces, truth, strict=True)]
        plausible = [[face for face in found if face.reason is None] for found in faces]
        points = [
            best(found, t, lambda face: face.landmarks) for found, t in zip(plausible, truth, strict=True)
        ]
        show(f"{name}, shipped FAN", points, truth, yaw)
    for passes in (1, 2):
        for name, found in boxes.items():
            show(f"{name}, labeller, {passes} pass(es)", labelled(images, found, None, passes), truth, yaw)
    show("true landmarks' square, labeller, 1 pass", labelled(images, truth, truth, 1), truth, yaw)


def read(root: Path) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Pictures, true landmarks (68, 2) in their pixels, and |yaw| (n,) in degrees."""
    reader, images, truth, yaw = Aflw20003D(), [], [], []
    for picture in reader.pictures(root):
        images.append(read_picture(root / picture.path))
        annotation = reader.annotation(root / picture.annotations[0], images[-1].shape[0])
        truth.append(annotation.landmarks68[:, :2])
        yaw.append(abs(np.degrees(annotation.pose[1])))
    return images, truth, np.array(yaw)


def detected(detector: FaceBoxesDetector, images: Sequence[np.ndarray]) -> list[list[Face]]:
    """The faces of all pictures."""
    found: list[list[Face]] = []
    for start in range(0, len(images), BATCH):
        found += detector.detect([Sight(image) for image in images[start : start + BATCH]])
    return found


def best(faces: Sequence[Face], truth: np.ndarray, what) -> np.ndarray | None:
    """What the best face on the true landmarks (68, 2) has to say; None where there is none."""
    for face in faces:
        if iou(face.box[None], landmark_box(truth)[None])[0, 0] >= OVERLAP:
            return what(face)
    return None


def labelled(
    images: Sequence[np.ndarray],
    boxes: Sequence[np.ndarray | None],
    landmarks: Sequence[np.ndarray] | None,
    passes: int,
) -> list[np.ndarray | None]:
    """The labeller's landmarks (68, 2), its first pass cut by boxes, or by landmarks where they are given."""
    settings = LabellingSettings(
        passes=passes, roi="box" if landmarks is None else "landmarks", pixels="exact", batch=BATCH
    )
    model = load_face_model("npz", f"{DATA}/bfm/bfm_sim.npz")
    labeller = Labeller(
        load_tddfa(str(expand(f"{DATA}/weights/mb05_120x120.pth"))),
        load_whitening(expand(f"{DATA}/weights/mb05_param_mean_std.npz")),
        model,
        settings,
    )
    rows = [k for k, box in enumerate(boxes) if box is not None]
    nothing = np.full((68, 2), np.nan)
    seen = [
        Seen(
            images[k],
            landmark_box(boxes[k]) if landmarks else boxes[k],
            landmarks[k] if landmarks else nothing,
        )
        for k in rows
    ]
    found: list[np.ndarray | None] = [None] * len(boxes)
    for k, label in zip(rows, labeller.label(seen), strict=True):
        found[k] = None if isinstance(label, Doubt) else label.landmarks[:, :2]
    return found


def show(
    name: str, points: Sequence[np.ndarray | None], truth: Sequence[np.ndarray], yaw: np.ndarray
) -> None:
    """One line: found, and the distances by yaw bin."""
    rows = [k for k, p in enumerate(points) if p is not None]
    values = np.array([nme(points[k], truth[k], box_size(truth[k])) for k in rows])
    summary = summarise(values, yaw[rows], np.zeros(len(rows), bool), 100.0)
    bins = " / ".join(f"{entry['mean']:.2f}" for entry in summary["bins"].values())
    share = 100 * len(rows) / len(points)
    print(
        f"{name}: found {len(rows)} of {len(points)} ({share:.1f} %), {bins} %, balanced {summary['balanced']:.2f} %",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
