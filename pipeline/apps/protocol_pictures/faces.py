"""Pictures with a face in them: point sets, sizes of a face, label sets and crops."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from pipeline.apps.protocol_pictures.canvas import FOUND, QUIET, THIRD, TRUE, dots, note, panels, show
from pipeline.apps.protocol_pictures.head import Head, posed
from pipeline.apps.protocol_pictures.known import known
from pipeline.evaluation import protocols
from pipeline.evaluation.chart import Chart
from pipeline.metrics.normalisers import OUTER_EYE_CORNERS, box_size, interocular_2d, interocular_3d
from pipeline.registry import FRAMES

GRID = 48
"""Side of the map whose texels are drawn: those of a 256 map would cover the face."""
TURN = 40.0
"""Yaw in degrees of the head that shows points and sizes."""
DISAGREEMENT = ("reannotated", "nme68_2d_legacy")
"""Of the published figures, the one that says how far the two label sets lie apart."""
YAWS = np.linspace(0, 90, 91)


def points(chart: Chart) -> Figure:
    """What is compared: 68 landmarks, AFLW's 21 where visible, texels of the face, all vertices."""
    head = posed(chart, yaw=TURN)
    titles = [
        "landmarks68",
        "visible21: hollow is hidden",
        "face: texels of a map",
        "vertices; noneck without blue",
    ]
    figure, axes = panels(titles, 1240, columns=2)
    for axis, parts in zip(axes, (False, False, False, True), strict=True):
        show(axis, head.picture(parts=parts), 0.08)
    dots(axes[0], head.landmarks, FOUND, 55)
    found, seen = _visible21(head)
    dots(axes[1], found[seen], FOUND, 80)
    axes[1].scatter(*found[~seen, :2].T, 80, "none", edgecolors=FOUND, linewidths=2.5)
    texels = chart.dense_of(head.vertices, GRID)
    in_front = chart.dense_of(head.visible()[:, None].astype(float).repeat(3, 1), GRID)[:, 0] > 0.5
    dots(axes[2], texels[in_front], FOUND, 14)
    return figure


def normalisers(chart: Chart) -> Figure:
    """Sizes of a face by which errors are divided, on a turned head, and how they shrink with its yaw."""
    titles = [f"a head turned by {TURN:g} degrees", "size, 1: box68 from the front"]
    figure, (left, right) = panels(titles, 640)
    head = posed(chart, yaw=TURN)
    show(left, head.picture(), 0.08)
    boxes = (("box_points", THIRD, head.shape.face(64), 0), ("box68", FOUND, head.landmarks, 1))
    for name, colour, cloud, end in boxes:
        corners = np.stack([cloud[:, :2].min(axis=0), cloud[:, :2].max(axis=0)])
        left.add_patch(Rectangle(corners[0], *np.ptp(corners, axis=0), fill=False, edgecolor=colour, lw=4))
        note(
            left,
            corners[1, 0] - 3,
            corners[end, 1] + (4, -4)[end],
            name,
            colour,
            ha="right",
            va=("top", "bottom")[end],
        )
    eyes = head.landmarks[list(OUTER_EYE_CORNERS)]
    left.plot(*eyes[:, :2].T, color=TRUE, linewidth=4)
    dots(left, eyes, TRUE, 90)
    note(left, eyes[0, 0] + 4, eyes[0, 1] - 8, "interocular_2d", TRUE, va="bottom")
    heads = [posed(chart, yaw=yaw) for yaw in YAWS]
    unit = box_size(heads[0].landmarks)
    sizes = {
        "box_points": (THIRD, [box_size(one.shape.face(32)) for one in heads]),
        "box68": (FOUND, [box_size(one.landmarks) for one in heads]),
        "interocular_3d": (QUIET, [interocular_3d(one.landmarks) for one in heads]),
        "interocular_2d": (TRUE, [interocular_2d(one.landmarks) for one in heads]),
    }
    for name, (colour, values) in sizes.items():
        shares = np.array(values) / unit
        right.plot(YAWS, shares, color=colour, linewidth=4)
        below = name == "interocular_2d"
        note(right, 3, shares[3] + (-0.13 if below else 0.03), name, colour, va="top" if below else "bottom")
    right.set(xlim=(0, 90), ylim=(0, 1.3), xticks=(0, 30, 60, 90), xlabel="yaw, degrees")
    return figure


def labels(chart: Chart) -> Figure:
    """How far two label sets of the same pictures lie apart, and the squares that the papers cut."""
    figure, (left, right) = panels(["mean distance of two label sets", "squares that are cut"], 640)
    head = posed(chart)
    show(left, head.picture(), 0.08)
    radius = known(*DISAGREEMENT) / 100 * float(box_size(head.landmarks))
    for x, y in head.landmarks[:, :2]:
        left.add_patch(Circle((x, y), radius, facecolor=FOUND, alpha=0.35, edgecolor=FOUND))
    dots(left, head.landmarks, TRUE, 25)
    turned = posed(chart, yaw=TURN / 2)
    show(right, turned.picture())
    for name, colour in (("fan192", THIRD), ("prn256", TRUE), ("roi120", FOUND)):
        x1, y1, x2, y2 = FRAMES[name].from_landmarks(turned.landmarks, inference=True).window()
        right.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor=colour, linewidth=4))
        inmost = name == "roi120"
        note(right, x1 + 4, y2 - 4 if inmost else y1 + 3, name, colour, va="bottom" if inmost else "top")
    return figure


def _visible21(head: Head) -> tuple[np.ndarray, np.ndarray]:
    """AFLW's 21 points (21, 3), each a mean of landmarks, and which of them the picture shows (21,)."""
    mapping = protocols.load("aflw21").measure.mapping
    seen = head.visible()[head.chart.model.keypoints]
    found = np.stack([head.landmarks[rows].mean(axis=0) for rows in mapping])
    return found, np.array([seen[rows].mean() > 0.5 for rows in mapping])
