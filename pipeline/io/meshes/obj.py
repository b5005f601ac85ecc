"""Wavefront OBJ: v (with colours behind the point, as MeshLab writes them), vt, f, and the texture of its MTL."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.io.files import write_text
from pipeline.io.meshes.mesh import Mesh, as_bytes, fan_all
from pipeline.records import FacemillError


def read_obj(path: Path, data: bytes) -> Mesh:
    """The mesh in the bytes of an OBJ file; further elements (normals, groups, lines) are passed over.

    Corners are 1-based or, negative, counted from the last element so far. FacemillError with the line's number for
    a line that is cut off or no OBJ, and when only some faces have texture coordinates or several textures are used.
    """
    points: list[list[float]] = []
    charts: list[list[float]] = []
    faces: list[list[int]] = []
    chart_faces: list[list[int]] = []
    materials: dict[str, Path] = {}
    used: dict[str, None] = {}
    libraries: list[str] = []
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        key, _, rest = line.strip().partition(" ")
        try:
            if key == "v":
                points.append(_numbers(rest, (3, 4, 6)))
            elif key == "vt":
                charts.append(_numbers(rest, (2, 3))[:2])
            elif key == "f":
                face, chart_face = _corners(rest, len(points), len(charts))
                faces.append(face)
                if chart_face:
                    chart_faces.append(chart_face)
            elif key == "mtllib":
                libraries.append(rest.strip())
            elif key == "usemtl":
                used.setdefault(rest.strip())
        except ValueError as error:
            raise FacemillError(f"{path}, line {number}: {error}; the file is truncated or no OBJ") from error
    if not points:
        raise FacemillError(f"{path}: expected vertices (lines v x y z), found none; the file is no OBJ")
    if chart_faces and len(chart_faces) != len(faces):
        raise FacemillError(
            f"{path}: expected texture coordinates on all faces or on none, found them on {len(chart_faces)} of "
            f"{len(faces)}"
        )
    for library in libraries:
        materials |= read_mtl(path.parent / library)
    coloured = [len(point) == 6 for point in points]
    if any(coloured) and not all(coloured):
        raise FacemillError(
            f"{path}: expected colours on all vertices or on none, found {sum(coloured)} of {len(points)}"
        )
    values = np.array([point if len(point) == 6 else point[:3] for point in points])
    textured = bool(chart_faces)
    return Mesh(
        np.ascontiguousarray(values[:, :3]),
        fan_all(faces),
        as_bytes(values[:, 3:]) if any(coloured) else None,
        np.array(charts).reshape(-1, 2) if textured else None,
        fan_all(chart_faces) if textured else None,
        _one_texture(path, materials, list(used)) if textured else None,
    )


def _numbers(text: str, counts: tuple[int, ...]) -> list[float]:
    values = [float(word) for word in text.split()]
    if len(values) not in counts:
        raise ValueError(f"expected {' or '.join(map(str, counts))} numbers, found {len(values)}")
    return values


def _corners(text: str, points: int, charts: int) -> tuple[list[int], list[int]]:
    """Vertices and texture coordinates (or none) of a face, 0-based."""
    words = text.split()
    if len(words) < 3:
        raise ValueError(f"expected a face of at least 3 corners, found {len(words)}")
    face, chart_face = [], []
    for word in words:
        parts = word.split("/")
        face.append(_index(parts[0], points))
        if len(parts) > 1 and parts[1]:
            chart_face.append(_index(parts[1], charts))
    if len(chart_face) not in (0, len(face)):
        raise ValueError(f"expected texture coordinates on all corners or on none, found {text.strip()!r}")
    return face, chart_face


def _index(text: str, count: int) -> int:
    number = int(text)
    if number == 0:
        raise ValueError("expected numbers from 1, found 0")
    return number - 1 if number > 0 else count + number


def read_mtl(path: Path) -> dict[str, Path]:
    """Material -> picture of its map_Kd, beside the file; empty for a library that is not there."""
    found: dict[str, Path] = {}
    name = ""
    if not path.is_file():
        return found
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        key, _, rest = line.strip().partition(" ")
        if key == "newmtl":
            name = rest.strip()
        elif key.lower() == "map_kd" and rest.strip():
            found[name] = path.parent / rest.strip().replace("\\", "/")
    return found


def _one_texture(path: Path, materials: dict[str, Path], used: list[str]) -> Path | None:
    names = [name for name in used if name in materials] or ([] if used else list(materials))
    textures = sorted({materials[name] for name in names})
    if len(textures) > 1:
        listed = ", ".join(texture.name for texture in textures)
        raise FacemillError(f"{path}: expected one texture, found {len(textures)}: {listed}")
    return textures[0] if textures else None


def write_obj(path: str | Path, mesh: Mesh) -> None:
    """Write a mesh as OBJ: points to nine digits (all of a float32), colours in 0..1 behind them, and, where it has
    a texture, an MTL beside it that names the picture. The picture itself is the caller's."""
    path = Path(path)
    colours = [""] * len(mesh.vertices)
    if mesh.colours is not None:
        colours = [" " + " ".join(f"{value / 255:.6g}" for value in row) for row in mesh.colours.tolist()]
    lines = []
    if mesh.texture is not None:
        write_text(path.with_suffix(".mtl"), f"newmtl surface\nmap_Kd {mesh.texture.name}\n")
        lines += [f"mtllib {path.stem}.mtl", "usemtl surface"]
    for (x, y, z), colour in zip(mesh.vertices.tolist(), colours, strict=True):
        lines.append(f"v {x:.9g} {y:.9g} {z:.9g}{colour}")
    corners = mesh.triangles + 1
    if mesh.uv is None:
        lines += [f"f {a} {b} {c}" for a, b, c in corners.tolist()]
    else:
        lines += [f"vt {u:.9g} {v:.9g}" for u, v in mesh.uv.tolist()]
        both = np.stack([corners, mesh.uv_triangles + 1], axis=2).reshape(-1, 6).tolist()
        lines += [f"f {a}/{ua} {b}/{ub} {c}/{uc}" for a, ua, b, ub, c, uc in both]
    write_text(path, "\n".join(lines) + "\n")
