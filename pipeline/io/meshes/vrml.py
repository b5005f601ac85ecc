"""VRML 2.0 (VRML97) with one IndexedFaceSet, as BU-3DFE and BU-4DFE ship their scans (.wrl).

The grammar is read in full and without a table of node types: a node is a type with fields in braces, a field is a
name with a value, a value is a node, a list in brackets, a text, a truth value, a name or a run of numbers. So what
stands around the surface (viewpoints, lights, materials) is passed over without being known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.io.meshes.mesh import Mesh, as_bytes, fan_all
from pipeline.records import FacemillError

_TOKEN = re.compile(r'#[^\n]*|"(?:[^"\\]|\\.)*"|[][{}]|[^\s,#"{}\[\]]+')
_NUMBER = re.compile(r"[+-]?(?:\d|\.\d)")
_UNMOVED = {"translation": [0, 0, 0], "scale": [1, 1, 1], "center": [0, 0, 0]}


class _Node(dict):
    """Fields of a node by name; ``kind`` is its type."""

    kind = ""


def read_vrml(path: Path, data: bytes) -> Mesh:
    """The one surface in the bytes of a VRML 2.0 file.

    FacemillError for another version, a file that stops in the middle, several surfaces or none, and a surface that a
    Transform moves (scans stand where their file says).
    """
    text = data.decode("utf-8", "replace")
    if not text.startswith("#VRML V2.0"):
        found = text.split("\n", 1)[0][:40].strip()
        raise FacemillError(f"{path}: expected a file that starts with #VRML V2.0, found {found!r}")
    try:
        nodes = _Parser(text).nodes()
    except ValueError as error:
        raise FacemillError(f"{path}: {error}; the file is truncated or no VRML 2.0") from error
    surfaces = [node for node in _all(nodes) if node.kind == "IndexedFaceSet"]
    if len(surfaces) != 1:
        raise FacemillError(f"{path}: expected one IndexedFaceSet, found {len(surfaces)}")
    _check_unmoved(path, nodes)
    textures = [url for node in _all(nodes) if node.kind == "ImageTexture" for url in _texts(node.get("url"))]
    try:
        return _mesh(surfaces[0], path.parent / textures[0].replace("\\", "/") if textures else None)
    except ValueError as error:
        raise FacemillError(f"{path}: {error}; the file is damaged") from error


def _mesh(surface: _Node, texture: Path | None) -> Mesh:
    points = _rows("Coordinate point", _inner(surface, "coord", "point"), 3)
    faces = _polygons(surface.get("coordIndex", []))
    uv = corners = colours = None
    if "texCoord" in surface:
        uv = _rows("TextureCoordinate point", _inner(surface, "texCoord", "point"), 2)
        corners = _polygons(surface["texCoordIndex"]) if len(surface.get("texCoordIndex", [])) else faces
        if list(map(len, corners)) != list(map(len, faces)):
            raise ValueError("expected texCoordIndex to have the faces of coordIndex, found others")
    if "color" in surface and surface.get("colorPerVertex", True) and not len(surface.get("colorIndex", [])):
        colours = as_bytes(_rows("Color color", _inner(surface, "color", "color"), 3))
        if len(colours) != len(points):
            raise ValueError(f"expected a colour for each of {len(points)} points, found {len(colours)}")
    return Mesh(points, fan_all(faces), colours, uv, fan_all(corners) if corners else None, texture)


def _inner(surface: _Node, field: str, name: str) -> Any:
    node = surface.get(field)
    return node.get(name, []) if isinstance(node, _Node) else []


def _rows(what: str, values: Any, columns: int) -> np.ndarray:
    values = np.asarray(values, np.float64)
    if values.ndim != 1 or len(values) % columns:
        raise ValueError(f"expected {what} in rows of {columns} numbers, found {values.size} numbers")
    return values.reshape(-1, columns)


def _polygons(values: Any) -> list[list[int]]:
    """Faces of a coordIndex: numbers with -1 behind each face, behind the last one or not."""
    numbers = np.asarray(values, np.float64).astype(np.int64)
    ends = np.flatnonzero(numbers == -1)
    parts = [part[part != -1].tolist() for part in np.split(numbers, ends + 1)]
    faces = [part for part in parts if part]
    if short := [face for face in faces if len(face) < 3]:
        raise ValueError(f"expected faces of at least 3 corners, found {short[0]}")
    return faces


def _check_unmoved(path: Path, nodes: list[_Node]) -> None:
    for node in _all(nodes):
        if node.kind != "Transform" or not any(n.kind == "IndexedFaceSet" for n in _all(list(node.values()))):
            continue
        still = all(list(np.ravel(node.get(name, rest))) == rest for name, rest in _UNMOVED.items())
        turn = np.ravel(node.get("rotation", [0, 0, 1, 0]))
        if not still or (len(turn) == 4 and turn[3] != 0):
            raise FacemillError(
                f"{path}: expected a surface in its own place, found a Transform that moves it"
            )


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str) and text]


def _all(values: Any) -> Iterator[_Node]:
    """Every node among values, outer ones first."""
    for value in values:
        if isinstance(value, _Node):
            yield value
            yield from _all(value.values())
        elif isinstance(value, list):
            yield from _all(value)


class _Parser:
    """Tokens to nodes; ValueError where they end too early or do not fit."""

    def __init__(self, text: str):
        self.tokens = [token for token in _TOKEN.findall(text) if token[0] != "#"]
        self.at = 0
        self.named: dict[str, Any] = {}

    def nodes(self) -> list[_Node]:
        """All nodes at the top of the file; routes and prototypes are not read."""
        found = []
        while self.at < len(self.tokens):
            if self._peek() == "ROUTE":
                self.at += 4
                continue
            value = self._value()
            if not isinstance(value, _Node):
                raise ValueError(f"expected a node, found {value!r}")
            found.append(value)
        return found

    def _peek(self) -> str:
        if self.at >= len(self.tokens):
            raise ValueError("the file ends in the middle of a node")
        return self.tokens[self.at]

    def _next(self) -> str:
        token = self._peek()
        self.at += 1
        return token

    def _value(self) -> Any:
        token = self._next()
        if token == "[":
            return self._list()
        if token == "DEF":
            name = self._next()
            self.named[name] = value = self._value()
            return value
        if token == "USE":
            return self.named.get(self._next(), "")
        if token[0] == '"':
            return token[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        if _NUMBER.match(token):
            return self._numbers(token)
        if token in ("TRUE", "FALSE"):
            return token == "TRUE"
        if token in ("]", "{", "}"):
            raise ValueError(f"expected a value, found {token!r}")
        if self.at < len(self.tokens) and self._peek() == "{":
            return self._node(token)
        return token

    def _numbers(self, first: str) -> list[float]:
        values = [float(first)]
        while self.at < len(self.tokens) and _NUMBER.match(self.tokens[self.at]):
            values.append(float(self._next()))
        return values

    def _list(self) -> Any:
        """The members of a list: numbers flat as an array, else a list of values."""
        try:
            end = self.tokens.index("]", self.at)
        except ValueError:
            raise ValueError("the file ends in the middle of a list") from None
        inner = self.tokens[self.at : end]
        if inner and _NUMBER.match(inner[0]):
            self.at = end + 1
            return np.array(inner, np.float64)
        values = []
        while self._peek() != "]":
            values.append(self._value())
        self.at += 1
        return values

    def _node(self, kind: str) -> _Node:
        node = _Node()
        node.kind = kind
        self.at += 1
        while (name := self._next()) != "}":
            node[name] = self._value()
        return node
