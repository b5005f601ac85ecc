"""Anyone's predictions, and truth in a file: arrays of many faces, or one file a face, as shapes by picture.

An .npz holds `names` (n,) and one of

- `params62` (n, 62): raw parameters of the face model, with `roi_box` (n, 4) and `convention` where they lie in a crop;
- `vertices` (n, N, 3): all vertices of the face model, those without ears and neck, or the face's texels;
- `pts68` (n, 68, 2 or 3), `pts21`, `pts34`;
- `pose_deg` (n, 3): pitch, yaw, roll,

in pixels of the picture, y down, z towards the viewer. `origin` is the number of the first pixel, 0 without it, and
`<array>_origin` that of one array alone. In `pts21` and `pts34` a point that is not visible is NaN, or -1 twice. A
folder holds, at any depth, `<name>.mat` with `vertex` (3, N) as 2DASL and 3DDFA write it, or PRNet's
`<name>_mesh.mat` with `vertices` (N, 3) and `<name>_kpt.txt` (68, 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pipeline.datasets.labels import read_lines
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.shapes import PointsShape, PoseShape, Shape
from pipeline.evaluation.surfaces import MeshShape, ParamsShape, TexelShape
from pipeline.io.arrays import read_mat, read_npz
from pipeline.morphable.params62 import COUNT
from pipeline.records import FacemillError

POINTS = {
    "pts68": (None, 68),
    "pts21": ("aflw21", 21),
    "pts34": ("lfpa34", 34),
    "pts68_re": ("landmarks68_re", 68),
}
"""Arrays of points -> their name among a shape's points (None: its landmarks), and how many there are."""
HIDEABLE = ("pts21", "pts34")
"""Points that need not be visible."""
CONVENTIONS = {"3ddfa": 1, "3ddfa_v2": 0, "exact": 0}
"""How parameters of a crop become pixels (`pipeline.morphable.params62`) -> the number of the first pixel."""
VERTEX_ORIGIN, PRNET_ORIGIN = 1, 0
"""Numbers of the first pixel in the meshes of 2DASL and 3DDFA, and in PRNet's."""


def read_names(path: Path) -> list[str]:
    """Names of pictures: `names` of an .npz, or the lines of a text file."""
    return names_of(read_npz(path, ("names",)), path) if path.suffix == ".npz" else read_lines(path)


def names_of(content: Mapping[str, np.ndarray], path: Path) -> list[str]:
    """The names of an .npz, each a text; FacemillError for what is none, or where there is none."""
    names = content["names"]
    if names.ndim != 1 or not len(names) or names.dtype.kind not in "USO":
        raise FacemillError(
            f"{path}, names: expected texts (n,), at least one; found {names.dtype} of shape {names.shape}"
        )
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names.tolist()]


def read_shapes(path: Path, chart: Chart, origin: int | None = None) -> dict[str, Shape]:
    """The shapes of an .npz or a folder by the names of their pictures.

    Args:
        chart: of the face model.
        origin: number of the first pixel, in place of what the file says or its format has.

    Raises:
        FacemillError: nothing that can be read, an array of another shape, a name that stands twice.
    """
    if path.is_dir():
        return _of_folder(path, chart, origin)
    if path.suffix != ".npz":
        raise FacemillError(f"{path}: expected an .npz, or a folder with a file for each face; found neither")
    return of_arrays(read_npz(path, ("names",)), path, chart, origin)


def of_arrays(
    content: Mapping[str, np.ndarray], path: Path, chart: Chart, origin: int | None = None
) -> dict[str, Shape]:
    """The shapes of an .npz's arrays by name: of `params62`, `vertices`, points or `pose_deg`, the first that is there;
    points beside parameters or vertices are taken as they are."""
    names = names_of(content, path)
    if len(set(names)) < len(names):
        twice = next(name for k, name in enumerate(names) if name in names[:k])
        raise FacemillError(f"{path}: expected every name once, found {twice} twice")
    kinds = ("params62", "vertices", *POINTS, "pose_deg")
    if not any(kind in content for kind in kinds):
        found = ", ".join(sorted(content))
        raise FacemillError(f"{path}: expected one of {', '.join(kinds)}, found {found}")
    arrays = _Arrays(content, path, chart, len(names), origin)
    return {name: arrays.shape(row) for row, name in enumerate(names)}


class _Arrays:
    """The arrays of one file, checked, and the shape of each row."""

    def __init__(
        self, content: Mapping[str, np.ndarray], path: Path, chart: Chart, count: int, origin: int | None
    ) -> None:
        self.chart = chart
        self.path = path
        self.convention = str(content["convention"]) if "convention" in content else None
        self.roi = self._checked(content, "roi_box", count, 4) if "roi_box" in content else None
        self.origin = self._origin(content, origin)
        self.points = {
            key: self._points(content, key, count, rows)
            for key, (_, rows) in POINTS.items()
            if key in content
        }
        self.origins = {key: self._number(content, f"{key}_origin", self.origin) for key in self.points}
        self.params = self._checked(content, "params62", count, COUNT) if "params62" in content else None
        self.vertices = self._vertices(content, count) if "vertices" in content else None
        self.pose = self._checked(content, "pose_deg", count, 3) if "pose_deg" in content else None
        if self.convention is not None and self.roi is None:
            raise FacemillError(f"{path}: expected roi_box beside convention, found none")
        if self.params is not None and self.roi is not None and self.convention is None:
            raise FacemillError(
                f"{path}: expected convention beside roi_box, one of {', '.join(CONVENTIONS)}; found none"
            )

    def shape(self, row: int) -> Shape:
        """What row ``row`` holds, in 0-based pixels of the picture."""
        points = {
            key: values[row] - np.array([self.origins[key]] * 2 + [0.0])[: values.shape[2]]
            for key, values in self.points.items()
        }
        landmarks = points.pop("pts68", None)
        named = {POINTS[key][0]: values for key, values in points.items()}
        found = self._bare(row, landmarks, named)
        found.named = named
        if self.pose is not None:
            found.pose = np.radians(self.pose[row])
        return found

    def _bare(self, row: int, landmarks: np.ndarray | None, named: dict[str, np.ndarray]) -> Shape:
        if self.params is not None:
            roi = None if self.roi is None else self.roi[row]
            convention = self.convention or "exact"
            return ParamsShape(self.chart, self.params[row], self.origin, roi, convention, landmarks)
        if self.vertices is not None:
            texels = self.vertices.shape[1] == int(self.chart.face_mask(self.chart.texel_grid).sum())
            kind = TexelShape if texels else MeshShape
            return kind(self.chart, self.vertices[row], self.origin, landmarks)
        if self.points:
            mean = self.chart.model.mean[self.chart.model.keypoints]
            return PointsShape(landmarks, mean, named, self.origins.get("pts68", self.origin))
        return PoseShape(self.pose[row])

    def _origin(self, content: Mapping[str, np.ndarray], given: int | None) -> int:
        if self.convention is not None and self.convention not in CONVENTIONS:
            raise FacemillError(
                f"{self.path}, convention: expected one of {', '.join(CONVENTIONS)}, found {self.convention}"
            )
        said = self._number(content, "origin", CONVENTIONS.get(self.convention, 0))
        return said if given is None else given

    def _number(self, content: Mapping[str, np.ndarray], key: str, default: int) -> int:
        """The number of a first pixel, 0 or 1."""
        said = np.asarray(content.get(key, default))
        if said.ndim or said.dtype.kind not in "iuf" or said not in (0, 1):
            raise FacemillError(f"{self.path}, {key}: expected 0 or 1, found {said.tolist()!r}")
        return int(said)

    def _checked(self, content: Mapping[str, np.ndarray], key: str, *shape: int) -> np.ndarray:
        found = content[key]
        if found.dtype.kind not in "fiu" or found.shape != shape:
            raise FacemillError(
                f"{self.path}, {key}: expected numbers of shape {shape}, found {found.dtype} of shape {found.shape}"
            )
        return found.astype(np.float64)

    def _points(self, content: Mapping[str, np.ndarray], key: str, count: int, rows: int) -> np.ndarray:
        """(n, K, 2 or 3), from that or from (n, 2 or 3, K)."""
        found = content[key]
        if found.ndim == 3 and found.shape[1] in (2, 3) and found.shape[2] == rows:
            found = found.transpose(0, 2, 1)
        columns = 3 if found.ndim == 3 and found.shape[-1] == 3 else 2
        points = self._checked({key: found}, key, count, rows, columns)
        if key in HIDEABLE:
            points[(points[..., :2] == -1).all(axis=-1)] = np.nan
        return points

    def _vertices(self, content: Mapping[str, np.ndarray], count: int) -> np.ndarray:
        """(n, N, 3) in the file's own precision."""
        found = content["vertices"]
        if found.ndim == 3 and found.shape[1] == 3 and found.shape[2] != 3:
            found = found.transpose(0, 2, 1)
        if found.dtype.kind != "f" or found.ndim != 3 or found.shape[0] != count or found.shape[2] != 3:
            raise FacemillError(
                f"{self.path}, vertices: expected floats of shape ({count}, N, 3), found {found.dtype} of shape "
                f"{found.shape}"
            )
        check_count(self.path, found.shape[1], self.chart)
        return found


def check_count(path: Path, count: int, chart: Chart) -> None:
    """FacemillError unless a mesh has as many vertices as the face model, its face, or the face's texels have."""
    model = chart.model
    known = {
        "all vertices": len(model.mean),
        "those without ears and neck": int(model.face_mask.sum()),
        "texels of the face": int(chart.face_mask(chart.texel_grid).sum()),
    }
    if count not in known.values():
        words = ", ".join(f"{number} ({what})" for what, number in known.items())
        raise FacemillError(
            f"{path}: expected as many vertices as the face model {model.name} has, {words}; found {count}. Name the "
            "face model with --set face_model.id=... and --set face_model.path=..., PRNet's texels with "
            "--set evaluation.texels=<face_ind.txt>"
        )


def _of_folder(folder: Path, chart: Chart, origin: int | None) -> dict[str, Shape]:
    found: dict[str, Shape] = {}
    meshes = sorted(path for path in folder.rglob("*.mat"))
    for path in meshes:
        name = path.stem.removesuffix("_mesh")
        if name in found:
            raise FacemillError(f"{folder}: expected one mesh for {name}, found {path} and another")
        found[name] = _of_mat(path, chart, origin)
    points: dict[str, Path] = {}
    for path in sorted(folder.rglob("*_kpt.txt")):
        name = path.stem.removesuffix("_kpt")
        if name in points:
            raise FacemillError(
                f"{folder}: expected one _kpt.txt for {name}, found {points[name]} and {path}"
            )
        points[name] = path
    found = {name: _of_kpt(path, chart, origin) for name, path in points.items() if name not in found} | found
    if not found:
        raise FacemillError(
            f"{folder}: expected <name>.mat with vertex or vertices, or <name>_kpt.txt; found neither"
        )
    return found


def _of_mat(path: Path, chart: Chart, origin: int | None) -> Shape:
    content = read_mat(path, optional=("vertex", "vertices"))
    if "vertex" in content:
        vertices, first = np.asarray(content["vertex"]).T, VERTEX_ORIGIN
    elif "vertices" in content:
        vertices, first = np.asarray(content["vertices"]), PRNET_ORIGIN
    else:
        raise FacemillError(f"{path}: expected vertex (3, N) or vertices (N, 3), found neither")
    first = first if origin is None else origin
    arrays = {"names": np.array([path.stem]), "vertices": vertices[None].astype(np.float64), "origin": first}
    return of_arrays(arrays, path, chart)[path.stem]


def _of_kpt(path: Path, chart: Chart, origin: int | None) -> Shape:
    try:
        points = np.loadtxt(path, ndmin=2)
    except ValueError as error:
        raise FacemillError(f"{path}: expected 68 rows of x y z: {error}") from error
    first = PRNET_ORIGIN if origin is None else origin
    arrays = {"names": np.array([path.stem]), "pts68": points[None], "origin": first}
    return of_arrays(arrays, path, chart)[path.stem]
