"""Wavefront OBJ: v (with colours behind the point, as MeshLab writes them), vt, f, and the texture of its MTL."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline.io.files import write_text
from pipeline.io.meshes.mesh import Mesh, as_bytes, fan_all
from pipeline.records import FacemillError


@dataclass
class Elements:
    """The elements of an OBJ file as they stand in it.

    points: 3, 4 or 6 numbers each (x y z, a weight, or a colour behind the point). charts: u and v each. faces,
    chart_faces: the rows of points and of charts at the corners of each face, from 0; no chart_faces where no face has
    texture coordinates. libraries, materials: the names after mtllib and usemtl, each once.
    """

    points: list[list[float]] = field(default_factory=list)
    charts: list[list[float]] = field(default_factory=list)
    faces: list[list[int]] = field(default_factory=list)
    chart_faces: list[list[int]] = field(default_factory=list)
    libraries: dict[str, None] = field(default_factory=dict)
    materials: dict[str, None] = field(default_factory=dict)


def parse(path: Path, data: bytes) -> Elements:
    """The elements in the bytes of an OBJ file; further ones (normals, groups, lines) are passed over.

    Corners are 1-based or, negative, counted from the last element so far; whether they are there is not checked.
    FacemillError with the line's number for a line that is cut off or no OBJ, and for a file without vertices or with
    texture coordinates on some faces only.
    """
    found = Elements()
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        key, *rest = line.split(None, 1) or [""]
        text = rest[0].rstrip() if rest else ""
        try:
            if key == "v":
                found.points.append(_numbers(text, (3, 4, 6)))
            elif key == "vt":
                found.charts.append(_numbers(text, (2, 3))[:2])
            elif key == "f":
                face, chart_face = _corners(text, len(found.points), len(found.charts))
                found.faces.append(face)
                if chart_face:
                    found.chart_faces.append(chart_face)
            elif key == "mtllib":
                found.libraries.setdefault(text)
            elif key == "usemtl":
                found.materials.setdefault(text)
        except _Wrong as error:
            raise FacemillError(f"{path}, line {number}: {error}; the file is truncated or no OBJ") from error
        except ValueError as error:
            raise FacemillError(
                f"{path}, line {number}: expected v x y z, vt u v or f v/vt ..., found {line[:80]!r}; the file is "
                "truncated or no OBJ"
            ) from error
    if not found.points:
        raise FacemillError(f"{path}: expected vertices (lines v x y z), found none; the file is no OBJ")
    if found.chart_faces and len(found.chart_faces) != len(found.faces):
        raise FacemillError(
            f"{path}: expected texture coordinates (vt) at every polygon or at none, found them on "
            f"{len(found.chart_faces)} of {len(found.faces)}"
        )
    return found


def read_elements(path: Path) -> Elements:
    """The elements of an OBJ file; errors as in `parse`, and when it cannot be read."""
    return parse(path, _bytes(path))


def read_vertices(path: Path) -> np.ndarray:
    """The vertices (N, 3) float64 of an OBJ file, the rest not looked at: many times faster than `read_elements`, which
    says what is wrong where there are none to read."""
    data = _bytes(path)
    lines = [line for line in data.decode("utf-8", "replace").splitlines() if line.startswith("v ")]
    try:
        if lines:
            return np.loadtxt(lines, usecols=(1, 2, 3), ndmin=2)
    except ValueError:
        pass
    return np.array([point[:3] for point in parse(path, data).points])


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise FacemillError(f"no file {path}") from error
    except OSError as error:
        raise FacemillError(f"{path} cannot be read: {error}") from error


def read_obj(path: Path, data: bytes) -> Mesh:
    """The mesh in the bytes of an OBJ file; errors as in `parse`, and when only some vertices have colours or several
    textures are used."""
    found = parse(path, data)
    materials: dict[str, Path] = {}
    for library in found.libraries:
        materials |= read_mtl(path.parent / library)
    coloured = [len(point) == 6 for point in found.points]
    if any(coloured) and not all(coloured):
        raise FacemillError(
            f"{path}: expected colours on all vertices or on none, found {sum(coloured)} of {len(coloured)}"
        )
    values = np.array([point if len(point) == 6 else point[:3] for point in found.points])
    textured = bool(found.chart_faces)
    return Mesh(
        np.ascontiguousarray(values[:, :3]),
        fan_all(found.faces),
        as_bytes(values[:, 3:]) if any(coloured) else None,
        np.array(found.charts).reshape(-1, 2) if textured else None,
        fan_all(found.chart_faces) if textured else None,
        _one_texture(path, materials, list(found.materials)) if textured else None,
    )


class _Wrong(ValueError):
    """What is wrong with a line whose words can be read."""


def _numbers(text: str, counts: tuple[int, ...]) -> list[float]:
    values = [float(word) for word in text.split()]
    if len(values) not in counts:
        raise _Wrong(f"expected {' or '.join(map(str, counts))} numbers, found {len(values)}")
    return values


def _corners(text: str, points: int, charts: int) -> tuple[list[int], list[int]]:
    """Vertices and texture coordinates (or none) of a face, 0-based."""
    words = text.split()
    if len(words) < 3:
        raise _Wrong(f"expected a face of at least 3 corners, found {len(words)}")
    face, chart_face = [], []
    for word in words:
        parts = word.split("/")
        face.append(_row(parts[0], points))
        if len(parts) > 1 and parts[1]:
            chart_face.append(_row(parts[1], charts))
    if len(chart_face) not in (0, len(face)):
        raise _Wrong(f"expected texture coordinates on all corners or on none, found {text!r}")
    return face, chart_face


def _row(word: str, count: int) -> int:
    number = int(word)
    if not 0 < abs(number) < 1 << 31:
        raise _Wrong(f"expected numbers from 1, found {number}")
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
