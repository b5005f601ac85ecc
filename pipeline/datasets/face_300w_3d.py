"""300W-3D: the photographs that 300W-LP was made from, with the same keys in the .mat beside each (spec A.1).

Published layout: `<SUBSET>/<name>.jpg` and `<name>.mat` with SUBSET one of AFW, HELEN, IBUG, LFPW. Names have no
subset and no profiling step: `AFW/134212_1` (face 1 of the photograph) is 300W-LP's `AFW_134212_1_*`, and
`LFPW/image_train_0001` is `LFPW_image_train_0001_*`. Pictures have the photograph's size. The archive 300W-3D-Face
(meshes without a face model) is not read.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.datasets.face_300w_lp import Face300WLP, photograph
from pipeline.registry import DATASETS

SUBSETS = ("AFW", "HELEN", "IBUG", "LFPW")


@DATASETS.register("face_300w_3d")
class Face300W3D(Face300WLP):
    """Reader of 300W-3D. A photograph's group is called as in 300W-LP, so that the two can be compared by it."""

    licence = "300W-3D: non-commercial research only; see the data set's own terms"

    def group(self, picture: Path) -> str:
        """The photograph, with its subset before it: `AFW/134212_1` -> `AFW_134212`."""
        name = photograph(picture.stem)
        subset = picture.parent.name
        return f"{subset}_{name}" if subset in SUBSETS else name
