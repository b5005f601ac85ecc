"""Reading ICT-FaceKit: its own folder of OBJ files, or the same arrays in one .npz.

Keys of the .npz, and of what both readers return: neutral (V, 3) in the model's own unit (a centimetre), y up, z
forward; identity (Ks, V, 3) and expression (Ke, V, 3) offsets from it; expression_names (Ke,); faces (P, 4) 0-based
polygons, -1 pads triangles; uv (M, 2) and uv_faces (P, 4); landmarks68 (68,).

The folder (`FaceXModel`) holds generic_neutral_mesh.obj, identity000.obj and on, and one file for each expression. Its
landmarks are the ones that ICT-FaceKit's README lists as "Multi-PIE 68".
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from pipeline.io.arrays import read_npz
from pipeline.records import FacemillError

KEYS = ("neutral", "identity", "expression", "expression_names", "faces", "uv", "uv_faces", "landmarks68")
NEUTRAL = "generic_neutral_mesh.obj"
_IDENTITY = re.compile(r"^identity(\d{3})\.obj$")

LANDMARKS68 = np.array(
    [
        *(1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272, 4088, 3443),
        *(268, 493, 1914, 2044, 1401, 3615, 4240, 4114, 2734, 2509),
        *(978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360),
        *(1507, 1542, 1537, 1528, 1518, 1511, 3742, 3751, 3756, 3721, 3725, 3732),
        *(5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518, 5957, 5841),
        *(5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966),
    ],
    np.int32,
)


def read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz or of a folder; offsets as float32.

    Raises:
        FacemillError: nothing there, no such archive or folder, arrays missing, or files that do not fit together.
    """
    return read_folder(path) if path.is_dir() else read_archive(path)


def read_archive(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz; errors as in `read`."""
    if not path.is_file():
        raise FacemillError(
            f"no face model {path}; set face_model.path to ict_facekit.npz or to ICT-FaceKit's folder FaceXModel"
        )
    return read_npz(path, KEYS)


def read_folder(folder: Path) -> dict[str, np.ndarray]:
    """The arrays of a folder of OBJ files; identities by number, expressions by name. Errors as in `read`.

    Files that are neither the neutral mesh nor an identity are expressions; PupilDilate_L and _R, which move only
    what the model leaves out, are not.
    """
    if not (folder / NEUTRAL).is_file():
        raise FacemillError(
            f"{folder}: expected {NEUTRAL}, found no such file; set face_model.path to FaceXModel"
        )
    neutral, uv, faces, uv_faces = read_obj(folder / NEUTRAL)
    identities, expressions = [], []
    for file in sorted(folder.glob("*.obj")):
        if _IDENTITY.match(file.name):
            identities.append(file)
        elif file.name != NEUTRAL and not file.stem.startswith("PupilDilate"):
            expressions.append(file)
    wrong = [file.name for number, file in enumerate(identities) if file.name != f"identity{number:03d}.obj"]
    if wrong:
        raise FacemillError(
            f"{folder}: expected identities numbered without a gap, found {wrong[0]} after one"
        )
    if not identities or not expressions:
        raise FacemillError(
            f"{folder}: expected identity000.obj and on and a file for each expression, found "
            f"{len(identities)} and {len(expressions)}"
        )
    return {
        "neutral": neutral.astype(np.float32),
        "identity": _offsets(identities, neutral),
        "expression": _offsets(expressions, neutral),
        "expression_names": np.array([file.stem for file in expressions]),
        "faces": faces,
        "uv": uv.astype(np.float32),
        "uv_faces": uv_faces,
        "landmarks68": LANDMARKS68,
    }


def _offsets(files: list[Path], neutral: np.ndarray) -> np.ndarray:
    found = np.empty((len(files), *neutral.shape), np.float32)
    for row, file in enumerate(files):
        vertices = read_vertices(file)
        if vertices.shape != neutral.shape:
            raise FacemillError(
                f"{file}: expected the {len(neutral)} vertices of {NEUTRAL}, found {len(vertices)}"
            )
        found[row] = vertices - neutral
    return found


def read_vertices(path: Path) -> np.ndarray:
    """(V, 3) float64 of the lines "v x y z" of an OBJ file."""
    return _numbers(path, _lines(path), "v ", 3)


def read_obj(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (V, 3), texture coordinates (M, 2), polygons (P, 4) and their texture coordinates (P, 4), 0-based.

    Polygons have three or four corners, written v/vt or v/vt/vn; -1 stands for the fourth corner of a triangle.
    """
    lines = _lines(path)
    corners = [line.split()[1:] for line in lines if line.startswith("f ")]
    faces, uv_faces = (np.full((len(corners), 4), -1, np.int32) for _ in range(2))
    try:
        for row, polygon in enumerate(corners):
            numbers = [corner.split("/")[:2] for corner in polygon]
            faces[row, : len(polygon)] = [int(v) - 1 for v, _ in numbers]
            uv_faces[row, : len(polygon)] = [int(vt) - 1 for _, vt in numbers]
    except ValueError as error:
        raise FacemillError(
            f"{path}: expected polygons of 3 or 4 corners written v/vt, found f {' '.join(polygon)}"
        ) from error
    return _numbers(path, lines, "v ", 3), _numbers(path, lines, "vt ", 2), faces, uv_faces


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError as error:
        raise FacemillError(f"{path} cannot be read: {error}") from error


def _numbers(path: Path, lines: list[str], start: str, columns: int) -> np.ndarray:
    chosen = [line for line in lines if line.startswith(start)]
    if not chosen:
        raise FacemillError(f"{path}: expected lines '{start.strip()}' with {columns} numbers, found none")
    try:
        return np.loadtxt(chosen, usecols=range(1, columns + 1), ndmin=2)
    except ValueError as error:
        raise FacemillError(f"{path}: expected {columns} numbers on each line '{start.strip()}'") from error
