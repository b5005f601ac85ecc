"""Files of a synthetic picture: JPEG, one .mat per face in 300W-LP's form, and the truth that the chain never opens."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import scipy.io

from pipeline.datasets.synthetic.picture import FaceTruth, Rendered
from pipeline.datasets.synthetic.plan import Kind
from pipeline.io.files import write_bytes
from pipeline.records import Contract, Field

SHAPE_LENGTH, EXPRESSION_LENGTH = 199, 29
_HEADER = b"MATLAB 5.0 MAT-file, written by Facemill's synthesiser".ljust(116)
_NAME = re.compile(r"^SYN_\w+_(\d{5,})_0(?:_f\d+)?\.(?:jpg|mat)$")

TRUTH = Contract(
    "facemill.synthetic_truth",
    1,
    {
        "picture": Field("str", (), "id"),
        "face": Field("int64", (), "number of the face in its picture; -1 where there is none"),
        "kind": Field(
            "str", (), "ordinary, none, several, hard, impossible, cut, broken, duplicate, unreadable"
        ),
        "defect": Field("str", (), "what is wrong with the files, or what makes the face hard to find"),
        "identity": Field("int64", (), "person of the data set's pool; -1 where there is no face"),
        "pose": Field("float64", (7,), "pitch, yaw, roll in radians, tx, ty, tz in pixels, f"),
        "vertices68": Field("float64", (68, 3), "pixels of the picture, 0-based"),
        "visible68": Field("uint8", (68,), "1: nothing before it, and in the picture"),
        "hidden": Field("float64", (), "share of the face's front that is behind something"),
        "inside": Field("float64", (), "share of the landmarks in the picture"),
        "accessories": Field("str", (), "what is worn and held"),
    },
)


def annotation(face: FaceTruth, light: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays of 300W-LP's .mat for one face (spec prn_vrn_3ddfa A.1).

    Exp_Para is as long as 300W-LP's, or longer for a face model with more expressions (ICT-FaceKit's 53).
    """
    shape, expression, texture = (
        np.zeros((SHAPE_LENGTH, 1)),
        np.zeros((max(EXPRESSION_LENGTH, len(face.expression)), 1)),
        np.zeros((199, 1)),
    )
    shape[: len(face.shape), 0] = face.shape
    expression[: len(face.expression), 0] = face.expression
    texture[: len(face.albedo), 0] = face.albedo
    x, y = face.landmarks[:, 0], face.landmarks[:, 1]
    box = np.clip(np.rint([x.min(), y.min(), x.max(), y.max()]) + 1, -32768, 32767)
    return {
        "Pose_Para": face.pose[None].astype(np.float32),
        "Shape_Para": shape,
        "Exp_Para": expression,
        "Tex_Para": texture,
        "Color_Para": np.array([[1, 1, 1, 0, 0, 0, 1]], np.float32),
        "Illum_Para": light[None].astype(np.float64),
        "pt2d": face.landmarks[:, :2].T + 1.0,
        "roi": box[None].astype(np.int16),
    }


def break_annotation(arrays: dict[str, np.ndarray], defect: str) -> dict[str, np.ndarray] | None:
    """The arrays as a careless data set would hold them; None for no file at all.

    ``nan``: an angle and the scale are NaN. ``key``: Exp_Para is missing. ``scale``: the pose is that of a picture
    2.6 times as large, about the same centre. ``absent``: no file.
    """
    if defect == "absent":
        return None
    broken = dict(arrays)
    pose = arrays["Pose_Para"].copy()
    if defect == "nan":
        pose[0, [1, 6]] = np.nan
    elif defect == "key":
        del broken["Exp_Para"]
    elif defect == "scale":
        centre = (arrays["pt2d"].min(1) + arrays["pt2d"].max(1)) / 2
        pose[0, 6] *= 2.6
        pose[0, 3] = centre[0] + 2.6 * (pose[0, 3] - centre[0])
        pose[0, 4] = 451 - centre[1] + 2.6 * (pose[0, 4] - (451 - centre[1]))
    broken["Pose_Para"] = pose
    return broken


def mat_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    """A .mat file (level 5, uncompressed) without the date that scipy writes into its header."""
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, arrays)
    data = buffer.getvalue()
    return _HEADER + data[len(_HEADER) :]


def files_of(name: str, rendered: Rendered) -> dict[str, bytes]:
    """File name -> bytes of everything that one picture leaves in the images folder."""
    jpeg = rendered.jpeg
    if rendered.kind is Kind.UNREADABLE:
        jpeg = jpeg[: max(len(jpeg) // 3, 64)]
    made = {f"{name}.jpg": jpeg}
    for number, face in enumerate(rendered.faces):
        arrays = break_annotation(annotation(face, rendered.light), rendered.defect)
        if arrays is not None:
            made[f"{name}{f'_f{number}' if number else ''}.mat"] = mat_bytes(arrays)
    return made


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files of one picture, each whole or not at all."""
    for name, data in files.items():
        write_bytes(folder / name, data)


def remove_stale(folder: Path, shard: int, shards: int) -> None:
    """Delete what an earlier run of this shard left in the images folder."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        match = _NAME.match(path.name)
        if match and int(match.group(1)) % shards == shard:
            path.unlink()


def truth_rows(name: str, rendered: Rendered) -> list[dict[str, object]]:
    """One row of TRUTH per face; one row for a picture without a face."""
    common = {"picture": name, "kind": rendered.kind.value, "defect": rendered.defect}
    rows: list[dict[str, object]] = [
        {
            **common,
            "face": number,
            "identity": face.identity,
            "pose": face.pose,
            "vertices68": face.landmarks,
            "visible68": face.visible.astype(np.uint8),
            "hidden": face.hidden,
            "inside": face.inside,
            "accessories": face.accessories,
        }
        for number, face in enumerate(rendered.faces)
    ]
    if not rows:
        rows.append(
            {
                **common,
                "face": -1,
                "identity": -1,
                "pose": np.zeros(7),
                "vertices68": np.zeros((68, 3)),
                "visible68": np.zeros(68, np.uint8),
                "hidden": 0.0,
                "inside": 0.0,
                "accessories": "",
            }
        )
    return rows
