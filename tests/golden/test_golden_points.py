"""The NME of four committed faces against values worked out without numpy (make_points.py says how)."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.metrics.alignment import ALIGNMENTS
from pipeline.metrics.normalisers import box_size
from pipeline.metrics.points import nme

FACES = json.loads(Path(__file__).with_name("points.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("number", range(len(FACES)))
def test_errors_of_a_committed_face(number):
    face = FACES[number]
    truth, predicted = (np.array(face[f"{name}_eighths"]) / 8 for name in ("truth", "predicted"))
    size = box_size(truth)
    found = {"2d": nme(predicted[:, :2], truth[:, :2], size)}
    for rule in ("z_min", "z_mean"):
        found[f"3d_{rule}"] = nme(*ALIGNMENTS[rule](predicted, truth), size)
    assert found == pytest.approx(face["nme_percent"], rel=1e-12)


def test_the_faces_tell_the_rules_apart():
    for face in FACES:
        expected = face["nme_percent"]
        assert expected["2d"] < expected["3d_z_mean"]
        assert abs(expected["3d_z_min"] - expected["3d_z_mean"]) > 1e-3
