"""Parts of a scene as triangle meshes, and the few shapes that they are made of.

A shape is built in any right-handed frame, as vertices (N, 3) float64 and triangles (T, 3) int32, counter-clockwise
seen from outside. A `Part` is a shape placed in the picture with a surface for every vertex.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pipeline.datasets.synthetic.textures import Texture


@dataclass
class Part:
    """One opaque thing of the scene.

    vertices (N, 3): image px, x right, y down, z to the viewer. triangles (T, 3): counter-clockwise from outside with
    y pointing up. albedo (N, 3) or (3,): linear RGB. gloss, shine: strength and exponent of the highlight, scalar or
    (N,). occlusion (N,) or scalar: share of ambient light that arrives. texture with coordinates (N, 2) in texels
    multiplies the albedo. face: number of the face it belongs to, -1 for none. sheet: lit on the side that is seen.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    albedo: np.ndarray
    gloss: np.ndarray | float = 0.03
    shine: np.ndarray | float = 12.0
    occlusion: np.ndarray | float = 1.0
    texture: Texture = Texture.PLAIN
    coordinates: np.ndarray | None = None
    face: int = -1
    sheet: bool = False


def cloth(
    vertices: np.ndarray,
    triangles: np.ndarray,
    paint: np.ndarray,
    light: np.ndarray,
    coordinates: np.ndarray,
    texture: Texture = Texture.CLOTH,
) -> Part:
    """A sheet of cloth, dull. ``light`` (N,): share of ambient light that arrives; the rest as in `Part`."""
    return Part(
        vertices,
        triangles,
        paint,
        gloss=0.01,
        shine=8.0,
        occlusion=light,
        texture=texture,
        coordinates=coordinates,
        sheet=True,
    )


@dataclass
class Shape:
    """Vertices and triangles with surface coordinates (N, 2) in [0, 1] where the shape has them."""

    vertices: np.ndarray
    triangles: np.ndarray
    surface: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))


def grid_triangles(rows: int, columns: int, wrap: bool = False) -> np.ndarray:
    """Triangles (T, 3) int32 of a grid stored row by row; ``wrap`` joins the last column to the first."""
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(columns if wrap else columns - 1), indexing="ij")
    nxt = (column + 1) % columns
    a, b = row * columns + column, row * columns + nxt
    c, d = a + columns, b + columns
    return np.stack([np.stack([a, c, b], -1), np.stack([b, c, d], -1)], 2).reshape(-1, 3).astype(np.int32)


def grid_surface(rows: int, columns: int) -> np.ndarray:
    """(rows * columns, 2) surface coordinates: across, along."""
    along, across = np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, columns), indexing="ij")
    return np.stack([across, along], -1).reshape(-1, 2)


def outward(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """The triangles of a closed or nearly closed shape, turned so that they run counter-clockwise from outside."""
    p = vertices[triangles] - vertices.mean(0)
    volume = np.einsum("ij,ij->", p[:, 0], np.cross(p[:, 1], p[:, 2]))
    return triangles if volume >= 0 else np.ascontiguousarray(triangles[:, ::-1])


def ellipsoid(centre: np.ndarray, radii: np.ndarray, rows: int = 16, columns: int = 28) -> Shape:
    """A closed ellipsoid with its axes along the frame's."""
    polar = np.linspace(0, np.pi, rows)[:, None]
    around = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None]
    unit = np.stack(
        [np.sin(polar) * np.cos(around), np.cos(polar) + 0 * around, np.sin(polar) * np.sin(around)], -1
    )
    vertices = unit.reshape(-1, 3) * np.asarray(radii) + np.asarray(centre)
    return Shape(
        vertices, outward(vertices, grid_triangles(rows, columns, wrap=True)), grid_surface(rows, columns)
    )


def _frames(path: np.ndarray, closed: bool) -> tuple[np.ndarray, np.ndarray]:
    """Two unit normals (K, 3) each across a path (K, 3)."""
    tangent = np.roll(path, -1, 0) - np.roll(path, 1, 0) if closed else np.gradient(path, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-12)
    spread = path.max(0) - path.min(0)
    helper = np.eye(3)[np.argmin(spread)] if len(path) > 2 else np.eye(3)[np.argmin(np.abs(tangent[0]))]
    first = np.cross(tangent, helper)
    first /= np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-12)
    return first, np.cross(tangent, first)


def tube(path: np.ndarray, radii: np.ndarray | float, sides: int = 10, closed: bool = False) -> Shape:
    """A tube round a path (K, 3), open ends pointed where the radius is 0; radii (K,) or one for all."""
    path = np.asarray(path, np.float64)
    first, second = _frames(path, closed)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)[None, :, None]
    radius = np.broadcast_to(np.asarray(radii, np.float64), (len(path),))[:, None, None]
    rings = path[:, None] + radius * (np.cos(angle) * first[:, None] + np.sin(angle) * second[:, None])
    if closed:
        rings = np.concatenate([rings, rings[:1]])
    vertices = rings.reshape(-1, 3)
    triangles = grid_triangles(len(rings), sides, wrap=True)
    return Shape(vertices, _tube_outward(rings, triangles), grid_surface(len(rings), sides))


def _tube_outward(rings: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    vertices = rings.reshape(-1, 3)
    middle = np.repeat(rings.mean(1), rings.shape[1], 0)
    p = vertices[triangles]
    normal = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])
    out = ((p.mean(1) - middle[triangles].mean(1)) * normal).sum()
    return triangles if out >= 0 else np.ascontiguousarray(triangles[:, ::-1])


def capsule(start: np.ndarray, end: np.ndarray, radius: float, end_radius: float | None = None) -> Shape:
    """A rod with round ends."""
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    last = radius if end_radius is None else end_radius
    length = max(float(np.linalg.norm(end - start)), 1e-9)
    axis = (end - start) / length
    bow = np.sin(np.linspace(0, np.pi / 2, 5))
    low, high = -radius * np.cos(np.linspace(0, np.pi / 2, 5)), last * np.sin(np.linspace(0, np.pi / 2, 5))
    along = np.concatenate([low, length + high])
    radii = np.concatenate([radius * bow, last * bow[::-1]])
    return tube(start + along[:, None] * axis, radii, sides=12)


def box(centre: np.ndarray, half: np.ndarray, rotation: np.ndarray | None = None, cells: int = 6) -> Shape:
    """A box with half sides (3,), each side a grid of cells so that light can vary over it."""
    line = np.linspace(-1, 1, cells + 1)
    u, v = (side.reshape(-1) for side in np.meshgrid(line, line, indexing="ij"))
    vertices, triangles, surface = [], [], []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            side = np.zeros((u.size, 3))
            side[:, axis], side[:, (axis + 1) % 3], side[:, (axis + 2) % 3] = sign, sign * u, v
            triangles.append(grid_triangles(cells + 1, cells + 1) + len(vertices) * u.size)
            vertices.append(side)
            surface.append(np.stack([u, v], -1) * 0.5 + 0.5)
    points = np.concatenate(vertices) * np.asarray(half)
    faces = np.concatenate(triangles)
    p = points[faces]
    inward = (p.mean(1) * np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])).sum(1) < 0
    faces[inward] = faces[inward][:, ::-1]
    turn = np.eye(3) if rotation is None else rotation
    return Shape(points @ turn.T + np.asarray(centre), faces, np.concatenate(surface))


def fan(rim: np.ndarray) -> Shape:
    """A flat or domed sheet between a closed rim (K, 3) and its middle, in four rings."""
    rim = np.asarray(rim, np.float64)
    middle = rim.mean(0)
    rings = np.concatenate([middle + (rim - middle) * share for share in (0.02, 0.35, 0.7, 1.0)])
    return Shape(rings, grid_triangles(4, len(rim), wrap=True), grid_surface(4, len(rim)))


def joined(shapes: list[Shape]) -> Shape:
    """Several shapes as one."""
    offsets = np.cumsum([0] + [len(shape.vertices) for shape in shapes[:-1]])
    return Shape(
        np.concatenate([shape.vertices for shape in shapes]),
        np.concatenate([s.triangles + o for s, o in zip(shapes, offsets, strict=True)]).astype(np.int32),
        np.concatenate([shape.surface for shape in shapes]),
    )
