"""PLY, ASCII and binary of either byte order: points, colours, texture coordinates at vertices or at corners."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.io.files import write_bytes
from pipeline.io.meshes.mesh import Mesh, as_bytes, fan_all
from pipeline.records import FacemillError

_TYPES = {
    **dict.fromkeys(("char", "int8"), "i1"),
    **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "i2"),
    **dict.fromkeys(("ushort", "uint16"), "u2"),
    **dict.fromkeys(("int", "int32"), "i4"),
    **dict.fromkeys(("uint", "uint32"), "u4"),
    **dict.fromkeys(("float", "float32"), "f4"),
    **dict.fromkeys(("double", "float64"), "f8"),
}
_FORMATS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_CHARTS = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"))


@dataclass
class _Element:
    """One element of the header: its properties as (name, type, type of the count where it is a list, else None)."""

    name: str
    count: int
    properties: list[tuple[str, str, str | None]] = field(default_factory=list)


def read_ply(path: Path, data: bytes) -> Mesh:
    """The mesh in the bytes of a PLY file. FacemillError for a header that is none, and for a body that is shorter
    than the header says."""
    elements, order, texture, start = _header(path, data)
    try:
        read = _ascii(elements, data[start:]) if order == "" else _binary(elements, data, start, order)
    except (ValueError, IndexError) as error:
        raise FacemillError(f"{path}: {error}; the file is truncated or damaged") from error
    columns, polygons, corners = read.get("vertex", {}), read.get("face", {}), None
    if not {"x", "y", "z"} <= set(columns):
        raise FacemillError(f"{path}: expected vertices with x, y, z, found {', '.join(columns) or 'none'}")
    faces = polygons.get("vertex_indices", polygons.get("vertex_index"))
    if faces is None:
        raise FacemillError(
            f"{path}: expected faces with vertex_indices, found {', '.join(polygons) or 'none'}"
        )
    triangles = fan_all(faces)
    uv = uv_triangles = colours = None
    for pair in _CHARTS:
        if set(pair) <= set(columns):
            uv, uv_triangles = np.column_stack([columns[name] for name in pair]).astype(np.float64), triangles
    if uv is None and "texcoord" in polygons:
        uv, corners = _corner_charts(path, faces, polygons["texcoord"])
        uv_triangles = fan_all(corners)
    if {"red", "green", "blue"} <= set(columns):
        values = np.column_stack([columns[name] for name in ("red", "green", "blue")])
        colours = values if values.dtype == np.uint8 else as_bytes(values.astype(np.float64))
    points = np.column_stack([columns[name] for name in "xyz"]).astype(np.float64)
    return Mesh(points, triangles, colours, uv, uv_triangles, path.parent / texture if texture else None)


def _header(path: Path, data: bytes) -> tuple[list[_Element], str, str | None, int]:
    """Elements, byte order ('' for ASCII), texture's name and where the body starts."""
    end = data.find(b"end_header")
    if not data.startswith(b"ply") or end < 0 or b"\n" not in data[end:]:
        raise FacemillError(
            f"{path}: expected a header from 'ply' to 'end_header', found none; the file is no PLY"
        )
    elements: list[_Element] = []
    order = texture = None
    for line in data[:end].decode("utf-8", "replace").splitlines():
        words = line.split()
        match words:
            case ["format", kind, _]:
                order = _FORMATS.get(kind)
            case ["comment", "TextureFile", *name] if name:
                texture = " ".join(name)
            case ["element", name, count] if count.isdigit():
                elements.append(_Element(name, int(count)))
            case ["property", "list", counter, kind, name] if elements and {counter, kind} <= set(_TYPES):
                elements[-1].properties.append((name, _TYPES[kind], _TYPES[counter]))
            case ["property", kind, name] if elements and kind in _TYPES:
                elements[-1].properties.append((name, _TYPES[kind], None))
            case ["property" | "element", *_]:
                raise FacemillError(f"{path}: cannot read the line {line.strip()!r} of its header")
    if order is None:
        raise FacemillError(f"{path}: expected the format {', '.join(_FORMATS)}, found none of them")
    return elements, order, texture, data.index(b"\n", end) + 1


def _ascii(elements: list[_Element], body: bytes) -> dict[str, dict[str, Any]]:
    lines = iter([line for line in body.decode("utf-8", "replace").splitlines() if line.strip()])
    read: dict[str, dict[str, Any]] = {}
    for element in elements:
        rows: dict[str, list[Any]] = {name: [] for name, _, _ in element.properties}
        for number in range(element.count):
            words = next(lines, "").split()
            for name, kind, counter in element.properties:
                number_of = int if kind[0] in "iu" else float
                if counter is None:
                    rows[name].append(number_of(words.pop(0)) if words else _short(element, number))
                    continue
                count = int(words.pop(0)) if words else _short(element, number)
                taken, words = words[:count], words[count:]
                rows[name].append(
                    [number_of(word) for word in taken] if len(taken) == count else _short(element, number)
                )
        read[element.name] = {
            name: rows[name] if counter else np.array(rows[name], kind)
            for name, kind, counter in element.properties
        }
    return read


def _binary(elements: list[_Element], data: bytes, at: int, order: str) -> dict[str, dict[str, Any]]:
    read: dict[str, dict[str, Any]] = {}
    for element in elements:
        lists = sum(counter is not None for _, _, counter in element.properties)
        row = np.dtype(_row(element, order)) if lists < 2 else None
        table = None
        if row is not None and at + row.itemsize * element.count <= len(data):
            table = np.frombuffer(data, row, element.count, at)
        if table is not None and (not lists or (table["count of list"] == 3).all()):
            read[element.name] = {name: table[name].astype(kind) for name, kind, _ in element.properties}
            at += row.itemsize * element.count
        else:
            read[element.name], at = _binary_rows(element, data, at, order)
    return read


def _row(element: _Element, order: str) -> list[tuple[Any, ...]]:
    """One row of an element whose list, if it has one, has three members."""
    fields: list[tuple[Any, ...]] = []
    for name, kind, counter in element.properties:
        if counter:
            fields += [("count of list", order + counter), (name, order + kind, (3,))]
        else:
            fields.append((name, order + kind))
    return fields


def _binary_rows(element: _Element, data: bytes, at: int, order: str) -> tuple[dict[str, list[Any]], int]:
    rows: dict[str, list[Any]] = {name: [] for name, _, _ in element.properties}
    for number in range(element.count):
        for name, kind, counter in element.properties:
            count = 1
            if counter:
                count, at = int(_take(element, number, data, at, order + counter, 1)[0]), at + int(counter[1])
            values = _take(element, number, data, at, order + kind, count).tolist()
            at += count * int(kind[1])
            rows[name].append(values if counter else values[0])
    return rows, at


def _take(element: _Element, number: int, data: bytes, at: int, kind: str, count: int) -> np.ndarray:
    if count < 0 or at + count * np.dtype(kind).itemsize > len(data):
        _short(element, number)
    return np.frombuffer(data, kind, count, at)


def _short(element: _Element, number: int) -> Any:
    raise ValueError(f"expected {element.count} of {element.name}, number {number} is cut off")


def _corner_charts(path: Path, faces: Any, charts: Any) -> tuple[np.ndarray, list[list[int]]]:
    """Texture coordinates (M, 2) and, for each face, those of its corners."""
    corners, at = [], 0
    for face, chart in zip(faces, charts, strict=True):
        if len(chart) != 2 * len(face):
            raise FacemillError(
                f"{path}: expected {2 * len(face)} numbers in a face's texcoord, found {len(chart)}"
            )
        corners.append(list(range(at, at + len(face))))
        at += len(face)
    return np.array([value for chart in charts for value in chart], np.float64).reshape(-1, 2), corners


def write_ply(path: str | Path, mesh: Mesh) -> None:
    """Write a mesh as binary PLY: points as float32, colours as bytes. Texture coordinates are for OBJ."""
    names = [("x", "<f4"), ("y", "<f4"), ("z", "<f4")]
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(mesh.vertices)}"]
    header += [f"property float {name}" for name in "xyz"]
    if mesh.colours is not None:
        names += [(name, "u1") for name in ("red", "green", "blue")]
        header += [f"property uchar {name}" for name in ("red", "green", "blue")]
    header += [f"element face {len(mesh.triangles)}", "property list uchar int vertex_indices", "end_header"]
    points = np.zeros(len(mesh.vertices), names)
    values = [*mesh.vertices.T, *(mesh.colours.T if mesh.colours is not None else ())]
    for (name, _), column in zip(names, values, strict=True):
        points[name] = column
    faces = np.zeros(len(mesh.triangles), [("count", "u1"), ("corners", "<i4", (3,))])
    faces["count"], faces["corners"] = 3, mesh.triangles
    write_bytes(path, ("\n".join(header) + "\n").encode() + points.tobytes() + faces.tobytes())
