"""The kernels against their numpy twins and against plain numpy, taken in one run on the meshes of the tests.

    python -m benchmarks.kernels [--repeats 7] [--detail 110] [--face-model PATH]

The meshes are spheres and sheets about as fine as a face model (`--detail` rings: 110 give 24,000 vertices), or the
face model of `--face-model` (bfm_sim.npz's layout), turned by 30 degrees. Times are the best of the repeats, in
milliseconds of one thread. A twin runs on a part of the triangles and is scaled up, so its time is an estimate. With
a face model the texels that read back worst at the vertices are named too.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "unit"))

from kernel_shapes import sheet, sphere
from scipy.spatial import cKDTree

from pipeline.evaluation.chart import read_bilinear
from pipeline.geometry import closest, mesh, nms, reference, volume
from pipeline.geometry.closing import Closure
from pipeline.geometry.euler import rotation_from_angles
from pipeline.geometry.posmap import UVTable, texel_coordinates
from pipeline.registry import FACE_MODELS

TWIN_SHARE = 50


@dataclass
class Subject:
    """A mesh in a 192 px frame (y down), its chart, and the rotation that it has been given."""

    vertices: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    uv_triangles: np.ndarray
    rotation: np.ndarray


def best(call: Callable[[], object], repeats: int) -> float:
    """Least wall time of a call in ms, after one that does not count."""
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def subject(path: str | None, detail: int) -> Subject:
    """The face model at `path`, or a sphere with the chart of a sheet of as many points."""
    rotation = rotation_from_angles(0.1, np.radians(30), 0.0)
    if path:
        model = FACE_MODELS["npz"](Path(path))
        points, triangles = model.mean.astype(np.float64), model.triangles
        uv, uv_triangles = model.uv, model.uv_triangles
    else:
        points, _ = sphere((0.0, 0.0, 0.0), 1.0, detail)
        side = int(np.sqrt(len(points)))
        plane, triangles = sheet(side)
        ball = plane[:, :2] / (side - 1)
        angle = np.pi * (ball - 0.5) * 0.98
        points = np.column_stack(
            [np.sin(angle[:, 0]), np.sin(angle[:, 1]), np.cos(angle[:, 0]) * np.cos(angle[:, 1])]
        )
        uv, uv_triangles = ball, triangles
    turned = (points - points.mean(axis=0)) @ rotation.T * [1, -1, 1]
    scale = 130 / np.ptp(turned[:, 1])
    return Subject(turned * scale + [96, 96, 0], triangles, uv, uv_triangles, rotation)


def rows(s: Subject, repeats: int) -> list[tuple[str, float, float, str]]:
    """(what, kernel ms, other ms, what the other is) of every kernel."""
    part = np.ascontiguousarray(s.triangles[::TWIN_SHARE])
    raster = mesh.rasterize(s.vertices, s.triangles, 192, 192)
    code = mesh.normalized_code(s.vertices)
    normals = mesh.vertex_normals(s.vertices, s.triangles, image_frame=True)
    lights = [((0.3, -0.2, 1.0), (1.0, 0.9, 0.8)), ((-1.0, 0.0, 0.5), 0.3)]
    albedo = np.full_like(normals, 0.7)
    table = UVTable(s.uv, s.uv_triangles, s.triangles, 256)
    values = s.vertices.astype(np.float32)
    placed = volume.place_depth(s.vertices)
    closure = Closure(s.triangles)
    rng = np.random.default_rng(0)
    centre = rng.uniform(0, 600, (50, 2))[rng.integers(0, 50, 5000)] + rng.normal(0, 3, (5000, 2))
    boxes, scores = np.concatenate([centre - 20, centre + 20], axis=1), rng.random(5000)

    plane = np.column_stack([texel_coordinates(s.uv, 256), np.zeros(len(s.uv))])
    chart_part = np.ascontiguousarray(s.uv_triangles[::TWIN_SHARE])

    def draw_map() -> np.ndarray:
        return mesh.interpolate(mesh.rasterize(plane, s.uv_triangles, 256, 256), s.triangles, values)

    def twin(call: Callable[[], object]) -> float:
        return TWIN_SHARE * best(call, 1)

    def numpy_gather() -> np.ndarray:
        corners = values[table.corners]
        u, v = table.weights[:, :1], table.weights[:, 1:]
        return corners[:, 0] + u * (corners[:, 1] - corners[:, 0]) + v * (corners[:, 2] - corners[:, 0])

    def numpy_normals() -> np.ndarray:
        p, q, r = (s.vertices[s.triangles[:, i]] for i in range(3))
        face, out = np.cross(q - p, r - p), np.zeros_like(s.vertices)
        for axis in range(3):
            for corner in range(3):
                out[:, axis] += np.bincount(s.triangles[:, corner], face[:, axis], len(out))
        return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-30)

    def run(call: Callable[[], object]) -> float:
        return best(call, repeats)

    def voxels(variant: str) -> Callable[[], object]:
        return lambda: volume.voxelize(placed, s.triangles, variant, rotation=s.rotation, closure=closure)

    solid = volume.voxelize(placed, s.triangles, "solid", closure=closure)
    columns = solid.columns()[0]
    tree, surface, scipys = (
        closest.Tree(s.vertices),
        closest.Tree(s.vertices, s.triangles),
        cKDTree(s.vertices),
    )
    scan = s.vertices + rng.normal(0, 1, s.vertices.shape)
    return [
        (
            "rasterise 192",
            run(lambda: mesh.rasterize(s.vertices, s.triangles, 192, 192)),
            twin(lambda: reference.rasterize(s.vertices, part, 192, 192)),
            "twin",
        ),
        (
            "interpolate 192, 3 channels",
            run(lambda: mesh.interpolate(raster, s.triangles, code)),
            best(lambda: reference.interpolate(raster.triangle, raster.barycentric, s.triangles, code), 1),
            "twin",
        ),
        (
            "vertex normals",
            run(lambda: mesh.vertex_normals(s.vertices, s.triangles)),
            run(numpy_normals),
            "numpy",
        ),
        (
            "shade, 2 lights",
            run(lambda: mesh.shade(normals, albedo, 0.2, lights, 0.3)),
            best(lambda: reference.shade(normals, albedo, 0.2, lights, 0.3), 1),
            "twin",
        ),
        (
            "position map 256: table, once",
            run(lambda: UVTable(s.uv, s.uv_triangles, s.triangles, 256)),
            float("nan"),
            "",
        ),
        ("position map 256: gather", run(lambda: table.gather(values)), run(numpy_gather), "numpy gather"),
        (
            "position map 256: uint16",
            run(lambda: table.gather_codes(values)),
            run(lambda: reference.codes(numpy_gather(), 128, 128)),
            "numpy gather + codes",
        ),
        (
            "position map 256: gather",
            run(lambda: table.gather(values)),
            run(draw_map),
            "rasterised for each face, as face3d does",
        ),
        (
            "position map 256: rasterised",
            run(draw_map),
            twin(lambda: reference.rasterize(plane, chart_part, 256, 256)),
            "twin",
        ),
        (
            "volume solid",
            run(voxels("solid")),
            twin(lambda: reference.solid(placed, part, volume.SHAPE)),
            "twin",
        ),
        ("volume frontal_backfill", run(voxels("frontal_backfill")), float("nan"), ""),
        ("volume shell", run(voxels("shell")), float("nan"), ""),
        (
            "columns -> uint8",
            run(lambda: volume.expand_columns(columns)),
            run(lambda: reference.expand_columns(columns, 200)),
            "numpy",
        ),
        (
            "nms, 5000 boxes",
            run(lambda: nms.nms(boxes, scores, 0.3)),
            best(lambda: reference.nms(boxes[::10], scores[::10], 0.3), 1),
            "twin on 500",
        ),
        (
            "nearest points of a cloud: tree",
            run(lambda: closest.Tree(s.vertices)),
            run(lambda: cKDTree(s.vertices)),
            "scipy",
        ),
        (
            "nearest points of a cloud: search",
            run(lambda: tree.closest(scan)),
            run(lambda: scipys.query(scan)),
            "scipy",
        ),
        ("nearest points of a mesh: search", run(lambda: surface.closest(scan)), float("nan"), ""),
    ]


def read_back(s: Subject) -> str:
    """How well a 256 map gives the vertices back, and the triangles where it does worst."""
    table = UVTable(s.uv, s.uv_triangles, s.triangles, 256)
    rows_ = np.zeros(len(s.vertices), np.int64)
    rows_[s.triangles.ravel()] = s.uv_triangles.ravel()
    error = np.linalg.norm(read_bilinear(table.gather(s.vertices), s.uv[rows_]) - s.vertices, axis=1)
    worst = error[s.triangles].max(axis=1).argsort()[::-1][:8]
    named = "; ".join(
        f"{t} at u {s.uv[s.uv_triangles[t], 0].mean():.3f} v {s.uv[s.uv_triangles[t], 1].mean():.3f} "
        f"({error[s.triangles[t]].max():.2f} px)"
        for t in worst
    )
    return (
        f"read back at the vertices: median {np.median(error):.4f} px, 99 % within "
        f"{np.percentile(error, 99):.3f} px; worst triangles: {named}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--detail", type=int, default=110)
    parser.add_argument("--face-model")
    given = parser.parse_args()
    s = subject(given.face_model, given.detail)
    print(
        f"{len(s.vertices)} vertices, {len(s.triangles)} triangles; ms of one thread, best of {given.repeats}"
    )
    print(f"{'':34}{'kernel':>10}{'other':>12}{'ratio':>9}")
    for what, kernel, other, name in rows(s, given.repeats):
        compared = f"{other:12.2f}{other / kernel:8.0f}x  {name}" if np.isfinite(other) else ""
        print(f"{what:34}{kernel:10.3f}{compared}")
    if given.face_model:
        print(read_back(s))


if __name__ == "__main__":
    main()
