"""The pictures of docs/protocols.md, drawn from the procedural face: each shows what one choice does to a figure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.apps.protocol_pictures import errors, faces, figures
from pipeline.apps.protocol_pictures.canvas import save
from pipeline.evaluation.chart import Chart

PICTURES = {
    "points": faces.points,
    "normalisers": faces.normalisers,
    "depth": errors.depth,
    "pixels": errors.pixels,
    "labels": faces.labels,
    "means": figures.means,
    "surface": errors.surface,
    "pose": figures.pose,
    "volume": figures.volume,
}
"""Name -> function of a chart that makes the figure."""


def draw(folder: Path, chart: Chart) -> Iterator[Path]:
    """Write ``protocols_<name>.png`` for every picture into a folder; the paths, one by one."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in PICTURES.items():
        path = folder / f"protocols_{name}.png"
        save(make(chart), path)
        yield path
