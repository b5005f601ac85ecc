"""What the labeller said of a data set's faces, as annotations."""

from __future__ import annotations

from pipeline.datasets.base import FaceAnnotation
from pipeline.io import hdf5
from pipeline.records import LABELS


def read_labels(path: str) -> dict[str, FaceAnnotation]:
    """The labels of a shard by face, as annotations without points of their own."""
    with hdf5.open_checked(path, LABELS) as file:
        columns = [
            file[name][:] for name in ("pose_para", "shape_para", "exp_para", "image_height", "camera")
        ]
        return {
            face: FaceAnnotation(pose, shape, expression, int(height), camera=camera)
            for face, pose, shape, expression, height, camera in zip(
                hdf5.texts(file["face"]), *columns, strict=True
            )
        }
