"""Error of a reconstructed face surface after alignment: as PRN, as VRN and as 2DASL's script measure it, and over
known correspondence.

All of them search the nearest points but the last, and each in its own way; the figures are not comparable
(spec/prn_vrn_3ddfa.md G.3). A surface of corresponding points has an error that no search can make smaller.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from pipeline.geometry.closest import Tree
from pipeline.geometry.registration import Registration, icp
from pipeline.geometry.similarity import Similarity, umeyama
from pipeline.metrics.normalisers import box_size, interocular_3d, outer_interocular
from pipeline.metrics.points import point_distances
from pipeline.records import FacemillError

DASL_EVERY = 50
DASL_TOLERANCE = 0.01
PCREGRIGID_ROUNDS = 20


def nearest_point_error(
    predicted: np.ndarray,
    truth: np.ndarray,
    predicted68: np.ndarray,
    truth68: np.ndarray,
    *,
    coarse: int = 1,
    iterations: int = 50,
    tolerance: float = 1e-5,
) -> float:
    """Mean distance from the truth's points to the nearest predicted one after rigid ICP, in per cent.

    The recipe of spec/prn_vrn_3ddfa.md G.3: a similarity from the 68 landmarks, then rigid point-to-point ICP (the
    scale stays as the landmarks gave it), nearest neighbours from truth to prediction, mean over the truth's 3D
    distance between the outer corners of the eyes.

    Args:
        predicted: (M, 3) cloud; its density bounds the figure from below.
        truth: (N, 3) cloud cut to the face.
        predicted68, truth68: (68, 3) landmarks in the frames of their clouds.
        coarse: begin with rounds on every so many true points only, until these stand still: several times faster.
        iterations, tolerance: of `icp`.
    """
    motion = umeyama(predicted68, truth68)
    if coarse > 1:
        part = np.asarray(truth)[::coarse]
        motion = icp(predicted, part, initial=motion, iterations=iterations, tolerance=tolerance).motion
    found = icp(predicted, truth, initial=motion, iterations=iterations, tolerance=tolerance)
    return float(100.0 * found.distances.mean() / outer_interocular(np.asarray(truth68)))


def corresponding_point_error(predicted: np.ndarray, truth: np.ndarray, truth68: np.ndarray) -> float:
    """Mean distance of corresponding points after the best similarity over all of them, in per cent (SADRNet).

    Args:
        predicted, truth: (N, 3) clouds whose rows belong together.
        truth68: (68, 3) landmarks in the truth's frame.
    """
    motion = umeyama(predicted, truth)
    mean = point_distances(motion.apply(predicted), np.asarray(truth, dtype=np.float64)).mean()
    return float(100.0 * mean / outer_interocular(np.asarray(truth68)))


def rigid_nearest_error(
    predicted: np.ndarray,
    truth: np.ndarray,
    truth68: np.ndarray,
    *,
    start: Literal["means", "depth", "landmarks"] = "means",
    predicted68: np.ndarray | None = None,
    measured: Literal["moved", "unmoved"] = "moved",
    search: Literal["from_fixed", "from_moving"] = "from_fixed",
    iterations: int = PCREGRIGID_ROUNDS,
    tolerance: float = 1e-5,
) -> float:
    """VRN's figure: as `nearest_point_error`, but no fit changes the prediction's size, not even that of the landmarks.

    Both clouds are in the unit of the truth, since VRN undoes the crop and the scale of its depth; Matlab's pcregrigid
    moves them (spec/prn_vrn_3ddfa.md E.6). What its authors say leaves some of it open, which stands in arguments.

    Args:
        predicted: (M, 3) cloud; truth: (N, 3) cloud, the front of the face.
        truth68: (68, 3) landmarks in the truth's frame; their outer eye corners are the normaliser.
        start: how the prediction is placed before ICP: the means of the clouds on each other, only those of their
            depths ("z aligned by mean z", issue 99), or the rigid motion of the landmarks.
        predicted68: (68, 3), for ``start="landmarks"`` alone.
        measured: moved, to the nearest point of the prediction as ICP leaves it; unmoved, VRN's paper: ICP gives
            pairs alone, and their distances are those of the start, from each true point to its partner.
        search: of `icp`.
        iterations: of `icp`; 20 are those of Matlab's pcregrigid.
        tolerance: of `icp`.

    Raises:
        FacemillError: as `icp`, or a start that is not one of these or lacks its landmarks.
    """
    predicted, truth = np.asarray(predicted, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    motion = _start(predicted, truth, start, predicted68, truth68)
    found = icp(predicted, truth, initial=motion, search=search, iterations=iterations, tolerance=tolerance)
    if search == "from_moving":
        nearest = Tree(found.motion.apply(predicted)).closest(truth)
        pairs, distances = nearest.items, nearest.distances
    else:
        pairs, distances = found.nearest, found.distances
    if measured == "unmoved":
        distances = point_distances(motion.apply(predicted[pairs]), truth)
    elif measured != "moved":
        raise FacemillError(f"reconstruction error: expected measured moved or unmoved, found {measured}")
    return float(100.0 * distances.mean() / interocular_3d(truth68))


def dasl_script_error(
    predicted: np.ndarray,
    truth: np.ndarray,
    *,
    correspondence: Literal["index", "nearest"] = "index",
    every: int = DASL_EVERY,
    tolerance: float = DASL_TOLERANCE,
) -> float:
    """The figure of 2DASL's 3DReconstruction script in per cent (spec/landmarks_synergynet_2dasl.md 4.4).

    Every 50th vertex of both meshes, each part centred on its own mean; rounds of pairing every true point with the
    nearest predicted one and turning the prediction about the origin, until the mean squared distance before the turn
    changes by at most 0.01; then the mean distance over sqrt(w h) of all true vertices.

    Args:
        predicted, truth: (N, 3) vertices of one topology, in pixels.
        correspondence: index, of vertices with the same number, as the script has it; nearest, of each true point to
            the nearest predicted one, which the turning was made for.
        every, tolerance: of the script, so many vertices for one and the change in px2 that ends it.
    """
    size = box_size(np.asarray(truth))
    found, centred, fixed = dasl_script_motion(predicted, truth, every=every, tolerance=tolerance)
    if correspondence == "nearest":
        distances = found.distances
    elif correspondence == "index":
        distances = point_distances(found.motion.apply(centred), fixed)
    else:
        raise FacemillError(
            f"2DASL's error: expected correspondence index or nearest, found {correspondence}"
        )
    return float(100.0 * distances.mean() / size)


def dasl_script_motion(
    predicted: np.ndarray,
    truth: np.ndarray,
    *,
    every: int = DASL_EVERY,
    tolerance: float = DASL_TOLERANCE,
) -> tuple[Registration, np.ndarray, np.ndarray]:
    """The registration of `dasl_script_error`, and the centred parts (n, 3) of prediction and truth that it is of."""
    predicted, truth = np.asarray(predicted, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if predicted.shape != truth.shape:
        raise FacemillError(
            f"2DASL's error: expected meshes of one topology, found {predicted.shape} and {truth.shape}"
        )
    moving, fixed = predicted[::every], truth[::every]
    moving, fixed = moving - moving.mean(axis=0), fixed - fixed.mean(axis=0)
    found = icp(
        moving,
        fixed,
        initial=Similarity(1.0, np.eye(3), np.zeros(3)),
        with_translation=False,
        iterations=None,
        squared_tolerance=tolerance,
    )
    return found, moving, fixed


def _start(predicted, truth, start: str, predicted68, truth68) -> Similarity:
    """The rigid motion that ICP begins with."""
    if start == "landmarks":
        if predicted68 is None:
            raise FacemillError(
                "reconstruction error: expected predicted68 for a start from landmarks, found none"
            )
        return umeyama(predicted68, truth68, with_scale=False)
    axes = {"means": np.ones(3), "depth": np.array([0.0, 0.0, 1.0])}
    if start not in axes:
        raise FacemillError(f"reconstruction error: expected start means, depth or landmarks, found {start}")
    return Similarity(1.0, np.eye(3), axes[start] * (truth.mean(axis=0) - predicted.mean(axis=0)))
