"""Labels of AFLW2000-3D that lie beside its pictures: re-annotated points and the yaw of AFLW.

They are looked for in the folder of a .mat, in the one above, and in `test.configs` of both:

- 3DDFA's `AFLW2000-3D-Reannotated.pts68.npy` (n, 2, 68), `AFLW2000-3D.pose.npy` (n,) degrees, fitted, and
  `AFLW2000-3D-new.pose.npy` (n,) degrees, AFLW's; each is optional. Rows are the pictures in sorted order, unless the
  list `AFLW2000-3D_crop.list` stands beside them;
- or one `labels.npz` with `names` (n,), `pts68_re` (n, 2, 68), `yaw_deg` (n,), `yaw_aflw_abs_deg` (n,).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.datasets.base import AnnotationProblem
from pipeline.datasets.face_300w_lp import parameters, read_mat
from pipeline.datasets.labels import read_lines, require
from pipeline.io.arrays import read_npy, read_npz
from pipeline.records import FacemillError

LABELS = "labels.npz"
LIST = "AFLW2000-3D_crop.list"
FILES = {
    "landmarks68_re": "AFLW2000-3D-Reannotated.pts68.npy",
    "fitted": "AFLW2000-3D.pose.npy",
    "aflw": "AFLW2000-3D-new.pose.npy",
}
KEYS = {"landmarks68_re": "pts68_re", "fitted": "yaw_deg", "aflw": "yaw_aflw_abs_deg"}
SHAPES = {"landmarks68_re": (2, 68), "fitted": (), "aflw": ()}
SAMPLES = 9
"""Pictures whose fitted yaw is compared with their .mat before the rows are believed."""


@dataclass(frozen=True, eq=False)
class Labels:
    """rows: picture name -> row; tables: 'landmarks68_re' (n, 2, 68), 'fitted' and 'aflw' (n,), those found."""

    rows: Mapping[str, int]
    tables: Mapping[str, np.ndarray]

    def points(self, name: str) -> dict[str, np.ndarray]:
        """'landmarks68_re' (68, 2) image px of a picture, if there is one.

        The file's numbers are whole. They lie a median of 1.4 and 1.6 px left of and above `pt3d_68`, as 0-based
        coordinates do that were cut to whole pixels, and so they are taken as 0-based.
        """
        if name not in self.rows or "landmarks68_re" not in self.tables:
            return {}
        return {"landmarks68_re": self.tables["landmarks68_re"][self.rows[name]].astype(np.float64).T}

    def yaw_aflw(self, name: str) -> dict[str, float]:
        """'aflw': the absolute yaw of AFLW in degrees of a picture, if there is one; the list's signs mean nothing."""
        if name not in self.rows or "aflw" not in self.tables:
            return {}
        return {"aflw": abs(float(self.tables["aflw"][self.rows[name]]))}


def beside(folder: Path) -> Labels:
    """The labels for the .mat files of a folder, empty where there are none; `FacemillError` for files that lack a
    part, or hold rows of other pictures. A `labels.npz` with none of the keys is another set's."""
    for near in (folder, folder.parent):
        for place in (near, near / "test.configs"):
            archive = place / LABELS
            if archive.is_file() and not set(KEYS.values()).isdisjoint(read_npz(archive)):
                return _checked(_of_archive(archive), folder, archive)
            if any((place / name).is_file() for name in FILES.values()):
                return _checked(_of_arrays(place, folder), folder, place)
    return Labels({}, {})


def _of_archive(path: Path) -> Labels:
    content = read_npz(path, ("names", *KEYS.values()))
    names = [str(name) for name in content["names"]]
    return _shaped(names, {key: content[name] for key, name in KEYS.items()}, path, KEYS)


def _of_arrays(place: Path, folder: Path) -> Labels:
    tables = {key: read_npy(place / name) for key, name in FILES.items() if (place / name).is_file()}
    listed = [near / LIST for near in (place, place.parent, place.parent / "test.data", folder)]
    found = [path for path in listed if path.is_file()]
    if found:
        names = [Path(line).stem for line in read_lines(found[0])]
    else:
        names = sorted(path.stem for path in folder.glob("*.mat"))
    first = next(iter(tables))
    rows = len(tables[first]) if tables[first].ndim else 0
    if len(names) != rows and not found:
        raise FacemillError(
            f"{place}: expected a .mat for each of the {rows} rows of {FILES[first]}, found {len(names)} in "
            f"{folder}; put 3DDFA's {LIST}, which names the rows, into {place}"
        )
    return _shaped(names, tables, place, FILES)


def _shaped(
    names: list[str], tables: dict[str, np.ndarray], where: Path, called: Mapping[str, str]
) -> Labels:
    for key, table in tables.items():
        require(f"{where}, {called[key]}", table, (len(names), *SHAPES[key]))
    return Labels({name: row for row, name in enumerate(names)}, tables)


def _checked(labels: Labels, folder: Path, where: Path) -> Labels:
    """The labels, once the fitted yaws of a few pictures are those of their .mat files within a degree."""
    names = sorted(path.stem for path in folder.glob("*.mat") if path.stem in labels.rows)
    if "fitted" not in labels.tables or not names:
        return labels
    off = []
    for name in names[:: max(1, len(names) // SAMPLES)]:
        try:
            pose, _, _ = parameters(read_mat(folder / f"{name}.mat"), name)
        except AnnotationProblem:
            continue
        difference = np.degrees(pose[1]) - labels.tables["fitted"][labels.rows[name]]
        off.append(abs((difference + 180) % 360 - 180))
    if off and np.median(off) > 1:
        raise FacemillError(
            f"{where}: expected the fitted yaws of the pictures in {folder}, found rows that differ from the .mat "
            f"files by {np.median(off):.4g} degrees; put the {LIST} that belongs to the rows beside them"
        )
    return labels
