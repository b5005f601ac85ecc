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
from pipeline.io.meshes import obj
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
        vertices = obj.read_vertices(file)
        if vertices.shape != neutral.shape:
            raise FacemillError(
                f"{file}: expected the {len(neutral)} vertices of {NEUTRAL}, found {len(vertices)}"
            )
        found[row] = vertices - neutral
    return found


def read_obj(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (V, 3), texture coordinates (M, 2), polygons (P, 4) and their texture coordinates (P, 4), 0-based.

    Polygons have three or four corners, written v/vt or v/vt/vn; -1 stands for the fourth corner of a triangle.
    """
    found = obj.read_elements(path)
    vertices, uv = np.array([point[:3] for point in found.points]), np.array(found.charts).reshape(-1, 2)
    if not found.chart_faces or not {len(face) for face in found.faces} <= {3, 4}:
        raise FacemillError(f"{path}: expected polygons of 3 or 4 corners written v/vt, found others")
    tables = []
    for what, polygons, count in (("v", found.faces, len(vertices)), ("vt", found.chart_faces, len(uv))):
        corners = np.array([polygon + [0] * (4 - len(polygon)) for polygon in polygons])
        if corners.min() < 0 or corners.max() >= count:
            raise FacemillError(
                f"{path}: expected polygons of the {count} lines {what}, found a number beyond them"
            )
        corners[[len(polygon) == 3 for polygon in polygons], 3] = -1
        tables.append(corners.astype(np.int32))
    return vertices, uv, tables[0], tables[1]
