"""The 3D landmarks of a face from three sides, beside its picture: predicted in magenta, true in green.

The panel is that of the 3D Facial Alignment project (github.com/antoinedandi/FaceAlignment, 2020): the picture, then
(-x, y, z) as matplotlib's 3D axes show it from three directions, here without perspective.
"""

from __future__ import annotations

import numpy as np

from pipeline.evaluation.chart import Chart
from pipeline.registry import FIGURES
from pipeline.tables.figures.faces import Face, angles_of, drawable, faces_of, shapes_of
from pipeline.tables.figures.page import INNER, SMALL, Area, Drawn, Page, shortened
from pipeline.tables.figures.side_by_side import choose
from pipeline.tables.figures.tiles import GAP, LINE, landmarks_in
from pipeline.tables.figures.values import degrees, models_on
from pipeline.tables.results import Results

VIEWS = ((95.0, 90.0), (120.0, 60.0), (60.0, 60.0))
"""Elevation and azimuth in degrees, as matplotlib's `view_init` takes them."""
PREDICTED, TRUE = "#ff00ff", "#00a000"
COUNT = 3
DOTS = {TRUE: 1.5, PREDICTED: 0.9}
"""Sizes in points over the picture, twice as large in the views: a true landmark shows behind a predicted one."""
ROOM = 1.08
"""Width of a view, of what the landmarks take."""
SIDE = (INNER - len(VIEWS) * GAP) / (1 + len(VIEWS))


@FIGURES.register("four_views")
def four_views(results: Results, chart: Chart) -> Drawn:
    """The figure: per benchmark three pictures from frontal to profile, each through the first seed of every model that
    predicts 3D landmarks."""
    page = Page(
        "Landmarks in 3D from three sides",
        "Magenta: predicted; green: true. The picture, then (-x, y, z) seen from elevation and azimuth "
        f"{', '.join(f'({elevation:g}, {azimuth:g})' for elevation, azimuth in VIEWS)} degrees, in pixels of the crop; "
        "the predicted depths are moved so that their mean is the true ones'. The first seed of each model.",
    )
    if not results.benchmarks:
        page.text("No benchmark was scored: there is nothing to draw.")
    for benchmark in results.benchmarks:
        _panel(page, results, benchmark, chart)
    return page.drawn()


def _panel(page: Page, results: Results, benchmark: str, chart: Chart) -> None:
    page.heading(benchmark)
    models = models_on(results, benchmark)
    runs = {model: run for model in models for run in drawable(results.of(benchmark, model))[:1]}
    angles = angles_of(list(runs.values()))
    pictures = choose(angles, COUNT, tilted=0)
    faces = faces_of(list(runs.values()), pictures, chart)
    shapes = {model: shapes_of(run, pictures, chart) for model, run in runs.items()}
    without = []
    for picture in pictures:
        face, truth = faces[picture], _solid(faces[picture], faces[picture].truth)
        found = {m: _solid(face, shapes[m][picture]) for m in runs if picture in shapes[m]}
        without += [model for model, points in found.items() if points is None]
        drawn = {model: points for model, points in found.items() if points is not None}
        if truth is None or not drawn:
            continue
        page.text(f"{picture}: yaw {degrees(angles[picture][1])}")
        for model, points in drawn.items():
            _row(page, model, face, points, truth)
    stored = [model for model in models if model not in runs]
    if stored:
        page.text(f"Not drawn, as their predictions are not stored here: {', '.join(stored)}.")
    if without:
        names = ", ".join(dict.fromkeys(without))
        page.text(f"Not drawn, as they predict no landmarks in 3D: {names}.")
    if not pictures:
        page.text("No picture with a face was scored: there is nothing to draw.")


def _solid(face: Face, shape) -> np.ndarray | None:
    """The landmarks (68, 3) of a shape in pixels of the crop; None unless all are known in 3D."""
    points = landmarks_in(face, shape)
    return points if points is not None and points.shape[1] == 3 and np.isfinite(points).all() else None


def _row(page: Page, model: str, face: Face, points: np.ndarray, truth: np.ndarray) -> None:
    """A block with the picture and the views of one model's landmarks."""
    moved = points + np.array([0, 0, truth[:, 2].mean() - points[:, 2].mean()])
    clouds = ((TRUE, truth), (PREDICTED, moved))

    def draw(area: Area) -> None:
        axes = area.axes(0, 0, SIDE, SIDE)
        axes.imshow(face.image, interpolation="none", aspect="auto")
        for colour, cloud in clouds:
            axes.plot(cloud[:, 0], cloud[:, 1], ".", color=colour, markersize=DOTS[colour])
        height, width = face.image.shape[:2]
        axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
        axes.set_axis_off()
        for place, view in enumerate(VIEWS, start=1):
            _view(area, place * (SIDE + GAP), view, clouds)
        area.write(0, SIDE + 0.7 * LINE, shortened(model, INNER, SMALL), size=SMALL)

    page.add(SIDE + LINE + 0.08, draw)


def _view(area: Area, left: float, view: tuple[float, float], clouds) -> None:
    axes = area.axes(left, 0, SIDE, SIDE)
    seen = [(colour, projected(cloud * [-1, 1, 1], *view)) for colour, cloud in clouds]
    everything = np.concatenate([points for _, points in seen])
    middle = (everything.min(0) + everything.max(0)) / 2
    half = ROOM * np.ptp(everything, axis=0).max() / 2
    for colour, points in seen:
        axes.plot(*points.T, ".", color=colour, markersize=2 * DOTS[colour])
    axes.set(
        xlim=(middle[0] - half, middle[0] + half),
        ylim=(middle[1] - half, middle[1] + half),
        xticks=[],
        yticks=[],
    )
    axes.spines[["top", "right"]].set_visible(True)


def projected(points: np.ndarray, elevation: float, azimuth: float) -> np.ndarray:
    """Points (n, 3) as matplotlib's 3D axes with this `view_init`, equal scales and no perspective show them: (n, 2),
    to the right and up on the page, in the points' own unit."""
    high, round_ = np.radians([elevation, azimuth])
    towards = np.array([np.cos(high) * np.cos(round_), np.cos(high) * np.sin(round_), np.sin(high)])
    upright = np.array([0.0, 0.0, -1.0 if abs(high) > np.pi / 2 else 1.0])
    right = np.cross(upright, towards)
    right /= np.linalg.norm(right)
    return points @ np.column_stack([right, np.cross(towards, right)])
