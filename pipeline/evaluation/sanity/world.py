"""Six faces of the face model in known places, as a data set would annotate them: the truth of the card's cases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.datasets.base import FaceAnnotation
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.protocols import Protocol
from pipeline.evaluation.truth import Truth, of_annotation

HEIGHT, EXTENT = 450, 160.0
POSES = ((0, 0, 0), (10, 20, -5), (-8, 40, 12), (5, -50, -20), (0, 70, 8), (-4, -85, 3))
"""Pitch, yaw, roll in degrees: two faces in each of the usual bins of yaw."""


def truths(chart: Chart, protocol: Protocol) -> list[Truth]:
    """The faces with every point set that a protocol can ask for, each in numbers that count pixels from 1."""
    return [
        of_annotation(f"face{k}", _annotation(chart, pose, protocol), chart) for k, pose in enumerate(POSES)
    ]


def beyond(chart: Chart, protocol: Protocol) -> Truth:
    """A face with a yaw of 120 degrees, beyond what head-pose benchmarks count."""
    return of_annotation("beyond", _annotation(chart, (0, 120, 0), protocol), chart)


def _annotation(chart: Chart, degrees: tuple[float, float, float], protocol: Protocol) -> FaceAnnotation:
    model = chart.model
    scale = EXTENT / np.ptp(model.mean[model.keypoints], axis=0)[:2].max()
    centre = model.mean[model.keypoints].mean(axis=0)
    shift = np.array([HEIGHT / 2, HEIGHT / 2, 0.0]) - scale * centre
    pose = np.array([*np.radians(degrees), *shift, scale])
    bare = FaceAnnotation(pose, np.zeros(0), np.zeros(0), HEIGHT)
    landmarks = bare.modelled(model)
    rows = getattr(protocol.measure, "mapping", None) or [[k] for k in range(21)]
    points21 = np.stack([landmarks[row, :2].mean(axis=0) for row in rows])
    points = {
        "landmarks68_re": landmarks[:, :2],
        "aflw21": points21,
        "lfpa34": landmarks[::2, :2],
        "lfpa_box": np.stack([landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)]),
        "scan": chart.dense_of(bare.vertices(model), 256)[chart.on_whole_triangles(256)][::41],
    }
    return replace(bare, landmarks68=landmarks, points=points, yaws_deg={"aflw": abs(float(degrees[1]))})
