"""Whether an annotation can be true: its coefficients are the face model's, its face could be in a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.datasets.base import AnnotationProblem, FaceAnnotation
from pipeline.datasets.points import ENOUGH, known_points, point_sets
from pipeline.records import Reason

if TYPE_CHECKING:
    from pipeline.morphable import MorphableModel

SIGMAS = 20.0
"""Beyond it a coefficient is an error; among 400 real fits of AFLW2000-3D the largest is 11.7."""
FARTHEST = 1e6
"""px: no landmark of a face in a picture lies farther from its corner."""
LEAST = 1.0
"""px: no face is smaller, as the longer side of its landmarks' box."""


def checked(annotation: FaceAnnotation, model: MorphableModel, name: str) -> FaceAnnotation:
    """The annotation of the file `name`; `AnnotationProblem` with the reason for the ledger when it cannot be true.

    Non-zero coefficients beyond the model's modes (unless the model is truncated) are
    `Reason.ANNOTATION_BEYOND_MODEL`; a coefficient beyond SIGMAS, a landmark beyond FARTHEST or a face smaller than
    LEAST are `Reason.ANNOTATION_IMPLAUSIBLE`; points without parameters are `Reason.ANNOTATION_MISSING`. Where a
    model's deviations are unknown (NaN) they refuse nothing.
    """
    if not annotation.dense:
        detail = f"{name} has points but no parameters of a face model; labels: tddfa makes them"
        raise AnnotationProblem(Reason.ANNOTATION_MISSING, detail)
    for what, values, sigma in (
        ("shape", annotation.shape, model.shape_sigma),
        ("expression", annotation.expression, model.expression_sigma),
    ):
        _check_modes(what, values, len(sigma), model, name)
        _check_size(what, values[: len(sigma)], sigma[: len(values)], name)
    with np.errstate(over="ignore", invalid="ignore"):
        modelled = annotation.modelled(model)
    _check_place(modelled, name)
    if annotation.landmarks68 is not None:
        _check_place(annotation.landmarks68, name)
    return annotation


def checked_points(annotation: FaceAnnotation, name: str) -> FaceAnnotation:
    """The annotation of the file `name`, of which the points alone are wanted; `AnnotationProblem` with the reason for
    the ledger when they cannot be true.

    No visible point at all is `Reason.ANNOTATION_MISSING`, an infinite number `Reason.ANNOTATION_NOT_FINITE` (NaN is a
    point that is not visible), a point beyond FARTHEST or a face smaller than LEAST `Reason.ANNOTATION_IMPLAUSIBLE`.
    """
    for what, points in point_sets(annotation).items():
        if np.isinf(points).any():
            raise AnnotationProblem(Reason.ANNOTATION_NOT_FINITE, f"{name}: {what} is not finite")
        if np.isfinite(points).any():
            _check_near(points[np.isfinite(points)], name)
    known = known_points(annotation)
    if not len(known):
        detail = f"{name}: expected a point of the face that is visible, found none"
        raise AnnotationProblem(Reason.ANNOTATION_MISSING, detail)
    if len(known) >= ENOUGH:
        _check_span(known, name)
    return annotation


def _check_modes(what: str, values: np.ndarray, modes: int, model: MorphableModel, name: str) -> None:
    beyond = np.flatnonzero(values[modes:])
    if len(beyond) and not model.truncated:
        k = modes + int(beyond[0])
        raise AnnotationProblem(
            Reason.ANNOTATION_BEYOND_MODEL,
            f"{name}: expected zeros beyond the {modes} {what} modes of the face model {model.name}, found "
            f"{values[k]:.6g} as coefficient {k} of {len(values)}",
        )


def _check_size(what: str, values: np.ndarray, sigma: np.ndarray, name: str) -> None:
    over = np.flatnonzero(np.abs(values) > SIGMAS * sigma)
    if len(over):
        k = int(over[0])
        raise AnnotationProblem(
            Reason.ANNOTATION_IMPLAUSIBLE,
            f"{name}: expected {what} coefficients within {SIGMAS:g} deviations, found {values[k]:.6g} as coefficient "
            f"{k}, whose deviation is {sigma[k]:.6g}",
        )


def _check_place(points: np.ndarray, name: str) -> None:
    _check_near(points, name)
    _check_span(points, name)


def _check_near(points: np.ndarray, name: str) -> None:
    farthest = float(np.abs(points).max())
    if not farthest <= FARTHEST:
        raise AnnotationProblem(
            Reason.ANNOTATION_IMPLAUSIBLE,
            f"{name}: expected landmarks within {FARTHEST:g} px of the picture, found one at {farthest:.6g} px",
        )


def _check_span(points: np.ndarray, name: str) -> None:
    longest = float(np.ptp(points[:, :2], axis=0).max())
    if longest < LEAST:
        raise AnnotationProblem(
            Reason.ANNOTATION_IMPLAUSIBLE,
            f"{name}: expected a face of at least {LEAST:g} px, found landmarks that span {longest:.6g} px",
        )
