"""Scans made for tests: a head of an ellipsoid with a nose, written as the published data sets have it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from pipeline.config import ScanSettings
from pipeline.datasets.synthetic.meshes import ellipsoid
from pipeline.geometry.euler import rotation_from_angles
from pipeline.io.images import write_png
from pipeline.io.meshes import Mesh, write_obj
from pipeline.stages import render_scans

TIP = np.array([0.0, -8.0, 122.0])
"""Where the nose of the head ends, mm."""
QUARTERS = {(-1, 1): (200, 40, 40), (1, 1): (40, 200, 40), (-1, -1): (40, 40, 200), (1, -1): (200, 200, 40)}
"""Colour by the sign of x and y: red is up and to the picture's left, where the person's right is."""
PLACE = np.array([12.0, -30.0, 640.0])
"""Where a scanner's frame has the head, mm."""


def head(dip: float = 0.0, place: np.ndarray = PLACE) -> Mesh:
    """1,800 vertices that look along +z, head bent down by ``dip`` degrees, with a chart over the front's x and y."""
    shape = ellipsoid([0, 0, 0], [78, 110, 100], 30, 60)
    points = shape.vertices.copy()
    nose = np.exp(-np.square((points[:, :2] - TIP[:2]) / [13, 20]).sum(axis=1)) * (points[:, 2] > 0)
    points[:, 2] += nose * (TIP[2] - 100)
    triangles = shape.triangles.astype(np.int32)
    chart = points[:, :2] / 260 + 0.5
    colours = np.array([QUARTERS[sign(x), sign(y)] for x, y in points[:, :2]], np.uint8)
    turn = rotation_from_angles(np.radians(-dip), 0, 0)
    return Mesh(points @ turn.T + place, triangles, colours, chart, triangles)


def sign(value: float) -> int:
    """-1 or 1."""
    return 1 if value >= 0 else -1


def skin(side: int = 64) -> np.ndarray:
    """The quarters as a texture (side, side, 3): its upper left is the upper left of the face."""
    picture = np.zeros((side, side, 3), np.uint8)
    half = side // 2
    for (x, y), colour in QUARTERS.items():
        picture[
            slice(0, half) if y > 0 else slice(half, side), slice(0, half) if x < 0 else slice(half, side)
        ] = colour
    return picture


def florence(root: Path, dip: float = 0.0) -> Path:
    """Two subjects; the second has no frontal1, and its triangles are wound the other way."""
    for subject, view in (("subject_01", "frontal1"), ("subject_02", "frontal2"), ("subject_01", "sidel")):
        folder = root / subject / "Model" / view / "obj"
        mesh = head(dip)
        if view == "frontal2":
            mesh = replace(mesh, triangles=mesh.triangles[:, ::-1], uv_triangles=mesh.triangles[:, ::-1])
        folder.mkdir(parents=True)
        write_png(folder / "110920150452.png", skin())
        named = replace(mesh, colours=None, texture=folder / "110920150452.png")
        write_obj(folder / "110920150452.obj", named)
    (root / "subject_01" / "Video").mkdir()
    return root


def wrl(mesh: Mesh) -> str:
    """The mesh in VRML 2.0."""
    points = ",\n".join(" ".join(f"{value:.6f}" for value in point) for point in mesh.vertices)
    chart = ",\n".join(f"{u:.6f} {v:.6f}" for u, v in mesh.uv)
    faces = ",\n".join(f"{a}, {b}, {c}, -1" for a, b, c in mesh.triangles)
    return (
        '#VRML V2.0 utf8\nShape {\n appearance Appearance { texture ImageTexture { url "texture.jpg" } }\n'
        f" geometry IndexedFaceSet {{\n  coord Coordinate {{ point [\n{points}\n ] }}\n  coordIndex [\n{faces}\n ]\n"
        f"  texCoord TextureCoordinate {{ point [\n{chart}\n ] }}\n  texCoordIndex [\n{faces}\n ]\n }}\n}}\n"
    )


def bu4dfe(root: Path) -> tuple[Path, Path]:
    """Two people with two expressions of three frames; and the folder of their 83 landmarks, vertices 0, 20, 40 ..."""
    mesh = head()
    for person in ("F001", "M010"):
        for expression in ("Angry", "Happy", "Surprise"):
            for frame in range(3):
                name = f"{person}/{expression}/{frame:03d}"
                moved = replace(mesh, vertices=mesh.vertices + np.array([0.0, 0.0, frame]))
                for folder in (root / "scans", root / "marks"):
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (root / "scans" / f"{name}.wrl").write_text(wrl(moved))
                cv2.imwrite(
                    str(root / "scans" / f"{name}.jpg"), skin()[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98]
                )
                lines = [
                    f"{k + 1} {x:.6f} {y:.6f} {z:.6f}" for k, (x, y, z) in enumerate(moved.vertices[:1660:20])
                ]
                (root / "marks" / f"{name}.bnd").write_text("\n".join([*lines, ""]) + "\n")
    return root / "scans", root / "marks"


def settings(root: Path, **changed: object) -> ScanSettings:
    """Small pictures; keyword arguments change single settings."""
    return ScanSettings.model_validate(
        {"kind": "florence", "root": str(root), "size": 96, "region": "all", **changed}
    )


def render(folder: Path, options: ScanSettings, shards: int = 1, seed: int = 0) -> dict[str, bytes]:
    """Run the stage for every shard; file below the images folder -> its bytes."""
    for shard in range(shards):
        render_scans.run(
            inputs={},
            outputs={"manifest": str(folder / f"{shard}.tsv")},
            settings={
                "images": str(folder / "images"),
                "seed": seed,
                "shards": shards,
                "scans": options.model_dump(mode="json"),
            },
            wildcards={"dataset": "heads", "shard": str(shard)},
            attributes={},
        )
    images = folder / "images"
    return {
        p.relative_to(images).as_posix(): p.read_bytes() for p in sorted(images.rglob("*")) if p.is_file()
    }


def hidden_by_brute_force(points: np.ndarray, triangles: np.ndarray, tolerance: float) -> np.ndarray:
    """(N,) whether some triangle covers a vertex, nearer by more than the tolerance; triangles edge-on hide nothing."""
    a, b, c = (points[corner][None] for corner in triangles.T)
    p = points[:, None]

    def area(one, two, three):
        return (two[..., 0] - one[..., 0]) * (three[..., 1] - one[..., 1]) - (
            (two[..., 1] - one[..., 1]) * (three[..., 0] - one[..., 0])
        )

    whole = area(a, b, c)
    with np.errstate(divide="ignore", invalid="ignore"):
        u, v, w = area(p, b, c) / whole, area(a, p, c) / whole, area(a, b, p) / whole
        nearer = u * a[..., 2] + v * b[..., 2] + w * c[..., 2] - p[..., 2] > tolerance
        return ((np.minimum(np.minimum(u, v), w) >= 0) & nearer & (np.abs(whole) > 1e-3)).any(axis=1)


def towards_viewer(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(N,) z of the vertices' normals, 1 where a convex surface faces the viewer."""
    a, b, c = (points[corner] for corner in triangles.T)
    faces = np.cross(b - a, c - a)
    outward = np.sign((faces * ((a + b + c) / 3 - points.mean(axis=0))).sum(axis=1))
    normals = np.zeros_like(points)
    for corner in triangles.T:
        np.add.at(normals, corner, faces * np.sign(outward.sum()))
    return normals[:, 2] / np.maximum(np.linalg.norm(normals, axis=1), 1e-12)
