"""Binary glTF 2.0 (.glb) with one surface: positions, colours, triangles, as viewers and game engines read it.

glTF's axes are right-handed with y up; a triangle is seen where it turns counter-clockwise. Its vertex colours are
linear; bytes of sRGB are converted both ways, and 16 bits hold every one of them.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.io.files import write_bytes
from pipeline.io.meshes.mesh import Mesh
from pipeline.records import FacemillError

MAGIC, VERSION = b"glTF", 2
JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942
VERTICES, INDICES = 34962, 34963  # what a buffer view is for
TRIANGLES = 4
TYPES = {5121: "<u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
COLUMNS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}


def write_glb(path: str | Path, mesh: Mesh) -> None:
    """Write a mesh: points as float32, colours as linear 16-bit numbers. Texture coordinates are for OBJ."""
    points = np.ascontiguousarray(mesh.vertices, "<f4")
    parts = [(points, VERTICES, "VEC3", {"min": points.min(0).tolist(), "max": points.max(0).tolist()})]
    attributes = {"POSITION": 0}
    if mesh.colours is not None:
        linear = np.full((len(points), 4), 65535, "<u2")
        linear[:, :3] = np.rint(65535 * _linear(mesh.colours / 255.0))
        attributes["COLOR_0"] = len(parts)
        parts.append((linear, VERTICES, "VEC4", {"normalized": True}))
    parts.append((np.ascontiguousarray(mesh.triangles, "<u4").reshape(-1), INDICES, "SCALAR", {}))
    kinds = {dtype: number for number, dtype in TYPES.items()}
    views, accessors, at = [], [], 0
    for number, (values, target, kind, more) in enumerate(parts):
        views.append({"buffer": 0, "byteOffset": at, "byteLength": values.nbytes, "target": target})
        accessors.append(
            {
                "bufferView": number,
                "componentType": kinds[values.dtype.str],
                "count": len(values),
                "type": kind,
                **more,
            }
        )
        at += values.nbytes
    primitive = {
        "attributes": attributes,
        "indices": len(parts) - 1,
        "material": 0,
        "mode": TRIANGLES,
    }
    document = {
        "asset": {"version": "2.0", "generator": "facemill"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [primitive]}],
        "materials": [{"pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 1.0}}],
        "buffers": [{"byteLength": at}],
        "bufferViews": views,
        "accessors": accessors,
    }
    text = json.dumps(document, separators=(",", ":")).encode()
    chunks = _chunk(JSON_CHUNK, text, b" ") + _chunk(
        BINARY_CHUNK, b"".join(part[0].tobytes() for part in parts), b"\0"
    )
    write_bytes(path, MAGIC + struct.pack("<II", VERSION, 12 + len(chunks)) + chunks)


def _chunk(kind: int, data: bytes, filler: bytes) -> bytes:
    data += filler * (-len(data) % 4)
    return struct.pack("<II", len(data), kind) + data


def read_glb(path: Path, data: bytes) -> Mesh:
    """The one surface in the bytes of a .glb file.

    FacemillError for another format or version, a file that stops in the middle, several surfaces or none, one that a
    node moves, one that is no list of triangles, and data outside the file or compressed.
    """
    document, binary = _parts(path, data)
    try:
        primitives = [p for mesh in document.get("meshes", []) for p in mesh["primitives"]]
        if len(primitives) != 1:
            raise FacemillError(f"{path}: expected one surface, found {len(primitives)}")
        moving = {"matrix", "translation", "rotation", "scale"}
        if moved := sorted(moving & {key for node in document.get("nodes", []) for key in node}):
            raise FacemillError(f"{path}: expected a surface in its own place, found a node with {moved[0]}")
        return _mesh(path, document, binary, primitives[0])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise FacemillError(f"{path}: {error!r}; the file is damaged or no glTF 2.0") from error


def _parts(path: Path, data: bytes) -> tuple[dict[str, Any], bytes]:
    """The document and the binary chunk."""
    if data[:4] != MAGIC:
        raise FacemillError(f"{path}: expected a file that starts with glTF, found {data[:4]!r}")
    try:
        version, length = struct.unpack_from("<II", data, 4)
        if version != VERSION:
            raise FacemillError(f"{path}: expected glTF {VERSION}, found version {version}")
        if length > len(data):
            raise FacemillError(f"{path}: expected {length} bytes, found {len(data)}; the file is truncated")
        chunks, at = {}, 12
        while at < length:
            size, kind = struct.unpack_from("<II", data, at)
            chunks[kind] = data[at + 8 : at + 8 + size]
            at += 8 + size
        return json.loads(chunks[JSON_CHUNK]), chunks.get(BINARY_CHUNK, b"")
    except (struct.error, KeyError, ValueError) as error:
        raise FacemillError(f"{path}: expected chunks of JSON and data; the file is damaged") from error


def _mesh(path: Path, document: dict[str, Any], binary: bytes, primitive: dict[str, Any]) -> Mesh:
    if primitive.get("mode", TRIANGLES) != TRIANGLES:
        raise FacemillError(f"{path}: expected triangles (mode 4), found mode {primitive['mode']}")
    attributes = primitive["attributes"]
    points = _values(path, document, binary, attributes["POSITION"]).astype(np.float64)
    if "indices" in primitive:
        corners = _values(path, document, binary, primitive["indices"]).reshape(-1)
    else:
        corners = np.arange(len(points))
    colours = None
    if "COLOR_0" in attributes:
        linear = _values(path, document, binary, attributes["COLOR_0"])[:, :3]
        if linear.dtype.kind == "u":
            linear = linear / np.iinfo(linear.dtype).max
        colours = np.rint(255 * _encoded(np.clip(linear, 0, 1))).astype(np.uint8)
    return Mesh(points, corners.astype(np.int32).reshape(-1, 3), colours)


def _values(path: Path, document: dict[str, Any], binary: bytes, number: int) -> np.ndarray:
    """An accessor's rows (n, columns)."""
    accessor = document["accessors"][number]
    if "sparse" in accessor or "bufferView" not in accessor:
        raise FacemillError(f"{path}: expected plain data, found an accessor that is sparse or compressed")
    view = document["bufferViews"][accessor["bufferView"]]
    if "uri" in document["buffers"][view["buffer"]]:
        raise FacemillError(f"{path}: expected the data inside the file, found a buffer in another")
    dtype, columns = np.dtype(TYPES[accessor["componentType"]]), COLUMNS[accessor["type"]]
    step = view.get("byteStride", dtype.itemsize * columns)
    start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    count = accessor["count"]
    if start + (count - 1) * step + dtype.itemsize * columns > len(binary):
        raise FacemillError(f"{path}: expected {count} rows of data, found fewer; the file is truncated")
    return np.ndarray((count, columns), dtype, binary, start, (step, dtype.itemsize)).copy()


def _linear(encoded: np.ndarray) -> np.ndarray:
    """sRGB in 0..1 to linear (IEC 61966-2-1)."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def _encoded(linear: np.ndarray) -> np.ndarray:
    return np.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055
    )
