"""Pictures of what a rule does to an error: where depth begins, where pixels are counted from, which points meet."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from pipeline.apps.protocol_pictures.canvas import (
    FOUND,
    LETTERS,
    QUIET,
    THIRD,
    TRUE,
    dots,
    note,
    panels,
    show,
)
from pipeline.apps.protocol_pictures.head import posed
from pipeline.apps.protocol_pictures.known import known
from pipeline.evaluation import protocols
from pipeline.evaluation.chart import Chart, read_bilinear
from pipeline.evaluation.shapes import PointsShape
from pipeline.evaluation.surfaces import MapShape
from pipeline.evaluation.truth import Truth
from pipeline.geometry.posmap import UVTable
from pipeline.geometry.registration import icp
from pipeline.geometry.similarity import umeyama
from pipeline.metrics.alignment import ALIGNMENTS

STRAY = 20.0
"""px by which the rearmost landmark of a prediction lies too far back."""
VIEWER = 345, 320
PREDICTIONS = {
    "dasl": "2DASL",
    "mb05_stored": "3DDFA_V2, stored crops",
    "mb05_truth": "3DDFA_V2, own squares",
}
"""Published predictions whose figures stand in the picture of pixels."""
SLIDE = 0.03
"""Share of the chart's width by which texels of a prediction slide over the surface at most."""
MAP, DRAWN, THINNED = 256, 15, 41
"""Side of the map that is slid; texels of a section that are drawn; one in so many true points is fitted."""
NOSE_TIP, MARGIN = 30, 30


def depth(chart: Chart) -> Figure:
    """One landmark too far back, after both rules for where depth begins, seen in profile."""
    head = posed(chart)
    truth = head.landmarks
    predicted = truth.copy()
    rearmost = truth[:, 2].argmin()
    predicted[rearmost, 2] -= STRAY
    names = {"z_min": "nme68_3d", "z_mean": "nme68_3d_zmean"}
    figure, axes = panels([_titled(rule, name, predicted, truth) for rule, name in names.items()], 620)
    profile = posed(chart, yaw=-90.0)
    offset = profile.landmarks[:, 0].mean() - truth[:, 2].mean()
    for axis, rule in zip(axes, names, strict=True):
        show(axis, 1 - 0.45 * (1 - profile.picture()), 0.12)
        found, wanted = ALIGNMENTS[rule](predicted, truth)
        shift = truth[:, 2].mean() + offset - wanted[:, 2].mean()
        pairs = [np.column_stack([cloud[:, 2] + shift, cloud[:, 1]]) for cloud in (wanted, found)]
        axis.plot(*np.stack(pairs).transpose(2, 0, 1), color=FOUND, linewidth=2)
        for pair, colour in zip(pairs, (TRUE, FOUND), strict=True):
            dots(axis, pair, colour, 40)
        note(axis, *VIEWER, "viewer >", QUIET, ha="right")
    return figure


def pixels(chart: Chart) -> Figure:
    """One pixel with its numbers under both counts, and what the choice does to figures of published predictions."""
    figure, (left, right) = panels(["one place, two numbers", "68 points, 2D, balanced, %"], 640)
    _grid(left)
    ends = 3.58, 3.78
    for row, (key, name) in enumerate(reversed(PREDICTIONS.items())):
        values = [known(key, protocol) for protocol in ("nme68_2d", "nme68_2d_legacy")]
        right.plot(values, [row, row], color=QUIET, linewidth=5, zorder=1)
        right.scatter(values, [row, row], 260, [THIRD, FOUND], zorder=3)
        said = f"{values[0]:.3f}" if values[0] == values[1] else "{:.3f} / {:.3f}".format(*values)
        right.text(ends[0], row + 0.22, f"{name}:  {said}", fontsize=LETTERS - 2)
    right.set(
        ylim=(-0.4, 2.6),
        xlim=ends,
        xticks=(3.6, 3.65, 3.7, 3.75),
        yticks=(),
        xlabel="blue: exact, red: legacy",
    )
    right.spines["left"].set_visible(False)
    return figure


def surface(chart: Chart) -> Figure:
    """The right surface with texels that have slid over it, in a section through the nose: each true point, with the
    predicted one that it is held against."""
    head = posed(chart)
    model = chart.model
    table = UVTable(model.uv, model.uv_triangles, model.triangles, MAP).gather(head.vertices)
    predicted, truth = MapShape(chart, _slid(table)), Truth("", head.shape)
    row = np.linalg.norm(table - head.landmarks[NOSE_TIP], axis=2).argmin() // MAP
    inside = np.flatnonzero(chart.face_mask(MAP)[row])
    inside = inside[np.linspace(0, len(inside) - 1, DRAWN).round().astype(int)]
    wanted, found = table[row, inside], predicted.position_map[row, inside]
    cloud, true_cloud = predicted.face(MAP), truth.shape.face(MAP)
    start = umeyama(predicted.landmarks(), head.landmarks)
    closest = icp(cloud, true_cloud[::THINNED], initial=start).motion
    moved = closest.apply(cloud)
    nearest = moved[[np.linalg.norm(moved - point, axis=1).argmin() for point in wanted]]
    met = {"nearest": nearest, "known": umeyama(cloud, true_cloud).apply(found)}
    names = {"nearest": "reconstruction", "known": "reconstruction_known"}
    titles = [f"{rule}: {protocols.load(name).score(predicted, truth):.2f} %" for rule, name in names.items()]
    figure, axes = panels(titles, 520)
    ends = np.stack([wanted.min(axis=0) - MARGIN, wanted.max(axis=0) + MARGIN])[:, [0, 2]]
    for axis, points in zip(axes, met.values(), strict=True):
        axis.plot(*wanted[:, [0, 2]].T, color=QUIET, linewidth=2, zorder=0)
        axis.plot(*np.stack([wanted, points])[..., [0, 2]].transpose(2, 0, 1), color=FOUND, linewidth=5)
        dots(axis, wanted[:, [0, 2]], TRUE, 130)
        dots(axis, points[:, [0, 2]], FOUND, 70)
        axis.set(xlim=ends[:, 0], ylim=ends[:, 1], aspect="equal")
        axis.set_axis_off()
    for words, colour, y in (("true points", TRUE, 0.3), ("predicted", FOUND, 0.18)):
        axes[0].text(0.5, y, words, fontsize=LETTERS, color=colour, ha="center", transform=axes[0].transAxes)
    return figure


def _slid(table: np.ndarray) -> np.ndarray:
    """A map (S, S, 3) whose texels lie elsewhere on the same surface, some further out and some further in."""
    grid = np.linspace(0, 1, len(table))
    across, up = np.meshgrid(grid, grid[::-1])
    where = np.stack([across - SLIDE * np.sin(4 * np.pi * across), up], axis=-1)
    return read_bilinear(table, where.reshape(-1, 2)).reshape(table.shape)


def _titled(rule: str, name: str, predicted: np.ndarray, truth: np.ndarray) -> str:
    """A rule and the figure that its protocol gives."""
    found, true = PointsShape(predicted, truth), Truth("", PointsShape(truth, truth))
    return f"{rule}: {protocols.load(name).score(found, true):.2f} %"


def _grid(axis) -> None:
    """Pixels of a picture's corner with their numbers from 0 below and from 1 above, and a point that both name."""
    size, (x, y) = 4, (2, 1)
    axis.imshow(np.full((size, size, 3), 0.93))
    for edge in np.arange(size + 1) - 0.5:
        axis.plot([-0.5, size - 0.5], [edge, edge], color="white", linewidth=3)
        axis.plot([edge, edge], [-0.5, size - 0.5], color="white", linewidth=3)
    for k in range(size):
        for first, colour, at in ((0, THIRD, -0.78), (1, FOUND, -1.25)):
            axis.text(k, at, str(k + first), fontsize=22, color=colour, ha="center", va="center")
            axis.text(at, k, str(k + first), fontsize=22, color=colour, ha="center", va="center")
    axis.annotate(
        "",
        (x + 1, y + 1),
        (x, y),
        arrowprops={"arrowstyle": "-|>", "lw": 4, "color": FOUND, "mutation_scale": 30},
    )
    dots(axis, np.array([[x, y]]), THIRD, 260)
    dots(axis, np.array([[x + 1, y + 1]]), FOUND, 260)
    note(axis, x, y - 0.36, "(2, 1) from 0", THIRD, ha="center")
    note(axis, x, y + 1.42, "(3, 2) from 1", FOUND, ha="center")
    axis.set(xlim=(-1.6, size - 0.4), ylim=(size - 0.4, -1.6))
    axis.set_axis_off()
