"""The census: what detection and the ledger made of synthetic faces, against the synthesiser's own truth.

Only this and tests open the truth. A face is found when a box of the detector overlaps the tight box of its 68 true
landmarks by half (intersection over union). Point errors are in per cent of sqrt(w h) of that tight box.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.geometry.boxes import box_size, iou, landmark_box

FOUND = 0.5
NEAR = 10.0  # per cent: landmarks that are right
CLEAR = 0.1  # share of a face's front behind something, at which it still counts as unoccluded
YAW = 60.0
SOUND = ("ordinary", "hard", "impossible", "cut", "several")
FOR_WANT_OF_TRUTH = ("annotation_missing", "unmatched")
"""Reasons that only the annotations give. A picture without a face has none, so that they would hide every false face
of the data set from a census that asked the ledger alone; on photos to predict from, nothing would stop it."""


@dataclass(frozen=True, eq=False)
class TrueFace:
    """One face of the truth: picture, kind of picture, landmarks (68, 2), yaw in degrees, hidden and inside shares
    and what makes it hard."""

    picture: str
    kind: str
    landmarks: np.ndarray
    yaw: float
    hidden: float
    inside: float
    defect: str = ""


@dataclass(frozen=True, eq=False)
class FoundFace:
    """One face of detection, let through or not: name, picture, box (4,), landmarks (68, 2)."""

    name: str
    picture: str
    box: np.ndarray
    landmarks: np.ndarray


def census(
    truth: Iterable[TrueFace],
    faceless: Iterable[str],
    found: Iterable[FoundFace],
    reaped: Mapping[str, str],
    rows: int,
) -> dict[str, Any]:
    """All figures. `faceless` are the pictures without a face, `reaped` is face -> reason, `rows` counts the
    ledger's rows."""
    truth, faceless, found = list(truth), set(faceless), list(found)
    pairs = matched(truth, found)
    errors = {k: point_errors(truth[k], face) for k, face in pairs.items()}
    near, far = (
        [k for k, face in enumerate(truth) if (abs(face.yaw) <= YAW) == side] for side in (True, False)
    )
    clear = [
        k
        for k in near
        if truth[k].hidden <= CLEAR and truth[k].inside == 1 and truth[k].kind in ("ordinary", "several")
    ]
    false_boxes = sum(face.picture in faceless for face in found)
    passed = (None, *FOR_WANT_OF_TRUTH)
    accepted = {
        face.picture for face in found if face.picture in faceless and reaped.get(face.name) in passed
    }
    return {
        "faces": len(truth),
        "pictures_without_face": len(faceless),
        "detector": {
            "found_unoccluded_yaw_60": _share([k in pairs for k in clear]),
            "found_all": _share([k in pairs for k in range(len(truth))]),
            "false_boxes": false_boxes,
            "false_boxes_per_50_pictures": round(50 * false_boxes / len(faceless), 3) if faceless else None,
        },
        "landmarks": {
            "yaw_to_60": _landmarks(near, errors),
            "yaw_beyond_60": _landmarks(far, errors),
        },
        "false_rejects": _false_rejects(truth, pairs, errors, reaped),
        "pictures_without_face_accepted": len(accepted),
        "ledger": {
            "rows": rows,
            "reaped": _share([True] * len(reaped) + [False] * (rows - len(reaped))),
            "reasons": dict(sorted(Counter(reaped.values()).items())),
        },
    }


def matched(truth: list[TrueFace], found: list[FoundFace]) -> dict[int, FoundFace]:
    """True face number -> the found face whose box overlaps its own most, at least by half, each used once."""
    by_picture: dict[str, list[FoundFace]] = {}
    for face in found:
        by_picture.setdefault(face.picture, []).append(face)
    candidates = []
    for k, true in enumerate(truth):
        for face in by_picture.get(true.picture, []):
            overlap = float(iou(landmark_box(true.landmarks)[None], np.asarray(face.box)[None])[0, 0])
            if overlap >= FOUND:
                candidates.append((-overlap, k, face.name, face))
    pairs: dict[int, FoundFace] = {}
    used: set[str] = set()
    for _, k, name, face in sorted(candidates, key=lambda candidate: candidate[:3]):
        if k not in pairs and name not in used:
            pairs[k] = face
            used.add(name)
    return pairs


def point_errors(true: TrueFace, face: FoundFace) -> np.ndarray:
    """(68,) distances in per cent of sqrt(w h) of the true landmarks' box."""
    size = np.sqrt(np.prod(box_size(landmark_box(true.landmarks))))
    return 100 * np.linalg.norm(face.landmarks - true.landmarks, axis=1) / size


def _landmarks(rows: list[int], errors: Mapping[int, np.ndarray]) -> dict[str, Any]:
    seen = [errors[k] for k in rows if k in errors]
    whole = np.stack(seen) if seen else np.zeros((0, 68))
    return {
        "faces": len(rows),
        "found": _share([k in errors for k in rows]),
        "median_point_error": _rounded(np.median(whole)) if seen else None,
        "median_face_nme": _rounded(np.median(whole.mean(axis=1))) if seen else None,
        "mean_face_nme": _rounded(whole.mean()) if seen else None,
        "faces_within_10": _share(list(whole.mean(axis=1) <= NEAR)) if seen else None,
    }


def _false_rejects(
    truth: list[TrueFace],
    pairs: Mapping[int, FoundFace],
    errors: Mapping[int, np.ndarray],
    reaped: Mapping[str, str],
) -> dict[str, Any]:
    """Faces found, right within 10 %, wholly in the picture, alone in it, and yet reaped."""
    alone = Counter(face.picture for face in truth)
    right = [
        k
        for k in pairs
        if errors[k].mean() <= NEAR
        and truth[k].inside == 1
        and alone[truth[k].picture] == 1
        and truth[k].kind in SOUND
    ]
    lost = Counter(reaped[pairs[k].name] for k in right if pairs[k].name in reaped)
    return {
        "faces": len(right),
        "reaped": _share([pairs[k].name in reaped for k in right]),
        "reasons": dict(sorted(lost.items())),
    }


def _share(flags: list[bool]) -> float | None:
    return round(float(np.mean(flags)), 5) if flags else None


def _rounded(value: float) -> float:
    return round(float(value), 4)
