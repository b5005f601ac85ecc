"""The procedural face has human proportions: its mean landmarks against two models made from scanned people."""

import numpy as np
import pytest

from pipeline.geometry.similarity import umeyama
from pipeline.morphable import load_face_model

LIMIT = 0.08


def _distance(reference: np.ndarray) -> float:
    """Rms distance after a similarity fit, as a share of the reference's outer interocular distance."""
    face = load_face_model("procedural")
    fitted = umeyama(face.mean[face.keypoints], reference).apply(face.mean[face.keypoints])
    rms = np.sqrt(((fitted - reference) ** 2).sum(axis=1).mean())
    return rms / np.linalg.norm(reference[36] - reference[45])


@pytest.fixture(scope="module")
def references(data) -> dict[str, np.ndarray]:
    bfm = np.load(data / "bfm" / "bfm_sim.npz")
    ict = np.load(data / "ict" / "ict_facekit.npz")
    return {
        "bfm": bfm["u"].reshape(-1, 3)[bfm["keypoints"]].astype(np.float64),
        "ict": ict["neutral"][ict["landmarks68"]].astype(np.float64),
    }


@pytest.mark.parametrize("name", ["bfm", "ict"])
def test_mean_landmarks_lie_within_8_percent_of_a_scanned_mean(references, name):
    assert _distance(references[name]) < LIMIT


@pytest.mark.parametrize("name", ["bfm", "ict"])
def test_another_order_of_the_landmarks_would_be_noticed(references, name):
    shuffled = references[name][np.random.default_rng(0).permutation(68)]
    assert _distance(shuffled) > 5 * LIMIT
