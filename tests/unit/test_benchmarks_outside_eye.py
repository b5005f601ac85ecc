"""The outside eye: what counts as found, what is before the faces, and a weights file that is not there."""

import numpy as np
from synthetic_head import synthesiser

from benchmarks import outside_eye


def test_a_box_must_lie_on_the_face():
    marks = np.zeros((68, 3))
    marks[:, 0], marks[:, 1] = np.linspace(100, 200, 68), np.linspace(80, 180, 68)
    assert outside_eye.on_face(np.array([[0, 0, 20, 20], [90, 50, 210, 190.0]], np.float32), marks)
    assert not outside_eye.on_face(np.array([[300, 50, 420, 190.0]], np.float32), marks)
    assert not outside_eye.on_face(np.array([[0, 0, 449, 449.0]], np.float32), marks)
    assert not outside_eye.on_face(np.zeros((0, 4), np.float32), marks)


def test_the_sets_differ_in_what_is_before_the_face_alone():
    free, covered = (outside_eye.settings(30, 45.0, worn) for worn in outside_eye.SETS.values())
    assert (free.occluder, covered.occluder) == (0.0, 1.0)
    assert free.model_dump(exclude={"occluder"}) == covered.model_dump(exclude={"occluder"})
    assert free.cap == free.glasses == free.share_none == free.share_hard == 0.0
    assert free.yaw_limit == 45.0 and free.hair > 0


def test_every_picture_gets_a_verdict(tmp_path):
    class Half:
        """A detector that sees the left half of every picture only."""

        def find(self, pictures):
            return [
                (np.array([[0, 0, p.shape[1] / 2, p.shape[0]]], np.float32), np.ones(1)) for p in pictures
            ]

    maker = synthesiser(pictures=outside_eye.BATCH + 3)
    seen = list(outside_eye.look(Half(), maker, outside_eye.BATCH + 3))
    assert [face.index for face in seen] == list(range(outside_eye.BATCH + 3))
    for face in seen:
        half = np.array([[0, 0, 48, 96]], np.float32)
        assert face.found == outside_eye.on_face(half, face.face.landmarks)
    outside_eye.write_sheet(tmp_path / "sheet.png", seen)
    assert (tmp_path / "sheet.png").stat().st_size > 1000


def test_weights_that_are_not_there_are_named(capsys, tmp_path):
    assert outside_eye.main(["--weights", str(tmp_path / "none.pth"), "--pictures", "1"]) == 1
    assert "none.pth" in capsys.readouterr().err
