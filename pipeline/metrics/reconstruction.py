"""Error of a reconstructed face surface after alignment, over the distance between the eyes (PRN's third figure)."""

from __future__ import annotations

import numpy as np

from pipeline.geometry.registration import icp
from pipeline.geometry.similarity import umeyama
from pipeline.metrics.normalisers import outer_interocular
from pipeline.metrics.points import point_distances


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
