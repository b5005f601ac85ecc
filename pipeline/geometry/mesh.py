"""Drawing a triangle mesh: one visibility buffer, then attributes, depth, codes, normals and shading from it.

Vertices are (N, 3) rows of x, y, z. The rasteriser and `visible_vertices` want image pixels (pixel centre of column
j, row i is x=j, y=i; y down; larger z is nearer); normals are taken in whatever frame the vertices have.
"""

from dataclasses import dataclass

import numpy as np

from pipeline._kernels import sim3dr
from pipeline.geometry.arrays import check_shape, indices, numbers, size
from pipeline.records import FacemillError


@dataclass(frozen=True, eq=False)
class Raster:
    """What is in front at each pixel of an (H, W) picture.

    Attributes:
        triangle: (H, W) int32, the triangle at the pixel centre, -1 where there is none.
        barycentric: (H, W, 3) float32 weights of that triangle's corners, in 0..1; zeros where there is none.
        depth: (H, W) float32, z there in px, -inf where there is none.
    """

    triangle: np.ndarray
    barycentric: np.ndarray
    depth: np.ndarray

    @property
    def mask(self) -> np.ndarray:
        """(H, W) bool: where there is a surface."""
        return self.triangle >= 0


def rasterize(vertices, triangles, height: int, width: int, *, cull: bool = False) -> Raster:
    """The nearest surface at every pixel centre, orthographic along z.

    Exact: a pixel centre on an edge is inside, and neighbours evaluate their common edge alike, so no pin-holes
    open between them. Of two surfaces equally near the triangle with the smaller number stays. Triangles without
    area on the screen or with a vertex that is not finite are not drawn.

    Args:
        vertices: (N, 3) image px.
        triangles: (T, 3) vertex numbers.
        height, width: of the picture.
        cull: leave out triangles that face away (those are counter-clockwise on the y-down screen; a
            MorphableModel's triangles are counter-clockwise seen from outside with y up). On an open surface seen
            from behind this changes the picture.

    Raises:
        FacemillError: wrong shapes, or a triangle that names a vertex that is not there.
    """
    vertices = numbers("vertices", vertices, (None, 3))
    triangles = _triangles(triangles, len(vertices))
    shape = (size("height", height), size("width", width))
    raster = Raster(
        np.full(shape, -1, np.int32), np.zeros((*shape, 3), np.float32), np.full(shape, -np.inf, np.float32)
    )
    sim3dr.rasterize(vertices, triangles, raster.triangle, raster.barycentric, raster.depth, cull)
    return raster


def interpolate(raster: Raster, triangles, attributes, background: float = 0.0) -> np.ndarray:
    """Attributes (N, C) of the vertices, blended over the visible triangles: (H, W, C) float32.

    ``triangles`` are those that were drawn, or others with the same rows (a texture chart's). Pixels without a
    surface hold ``background``. Raises FacemillError for wrong shapes or when ``raster`` shows a row that
    ``triangles`` does not have.
    """
    attributes = numbers("attributes", attributes, (None, None), np.float32)
    triangles = _triangles(triangles, len(attributes))
    _check_rows(raster, triangles)
    out = np.empty((*raster.triangle.shape, attributes.shape[1]), np.float32)
    sim3dr.interpolate(raster.triangle, raster.barycentric, triangles, attributes, background, out)
    return out


def visible_vertices(raster: Raster, vertices, triangles, tolerance: float = 1.0) -> np.ndarray:
    """(N,) bool: the vertex lies in the picture and no drawn surface is nearer than it by over ``tolerance`` px.

    The surface at the vertex's nearest pixel is continued along its own triangle's plane to the vertex, so steep
    cheeks do not hide their own vertices.
    """
    vertices = numbers("vertices", vertices, (None, 3))
    triangles = _triangles(triangles, len(vertices))
    _check_rows(raster, triangles)
    seen = np.zeros(len(vertices), np.uint8)
    sim3dr.visible(vertices, triangles, raster.triangle, float(tolerance), seen)
    return seen.view(bool)


def vertex_normals(vertices, triangles, *, image_frame: bool = False) -> np.ndarray:
    """Unit normals (N, 3) float64: the area-weighted sum of the faces around each vertex.

    They point out of a mesh whose triangles are counter-clockwise seen from outside in a right-handed frame. Image
    frames are left-handed (y down): pass ``image_frame=True`` for normals that point out there, in image axes. A
    vertex with no area around it gets (0, 0, 0).
    """
    vertices = numbers("vertices", vertices, (None, 3))
    triangles = _triangles(triangles, len(vertices))
    normals = np.zeros_like(vertices)
    sim3dr.normals(vertices, triangles, normals)
    return -normals if image_frame else normals


def shade(
    normals, albedo, ambient, lights, specular=0.0, shininess: float = 20.0, view=(0.0, 0.0, 1.0)
) -> np.ndarray:
    """Phong colours of the vertices, (N, 3) float32, not clipped.

    colour = albedo (ambient + sum rgb max(0, n.l)) + specular sum rgb max(0, r.v)^shininess, r = 2 (n.l) n - l,
    a light behind the surface giving nothing (Phong 1975; `Illum_Para` of 300W-LP).

    Args:
        normals: (N, 3) unit, pointing out.
        albedo: (N, 3) linear RGB.
        ambient: (3,) RGB or one number.
        lights: sequence of (direction (3,) towards the light, rgb (3,)) in the frame of the normals; the
            directions are scaled to unit length here.
        specular: (N,) or one number.
        shininess: exponent of the highlight.
        view: (3,) direction towards the eye.

    Raises:
        FacemillError: wrong shapes or a direction without length.
    """
    normals = numbers("normals", normals, (None, 3))
    albedo = numbers("albedo", albedo, (len(normals), 3))
    gloss = numbers("specular", np.broadcast_to(specular, len(normals)), (len(normals),))
    ambient = numbers("ambient", np.broadcast_to(ambient, 3), (3,))
    rays = np.empty((len(lights), 6))
    for row, (direction, rgb) in zip(rays, lights, strict=True):
        row[:3] = _unit("light direction", direction)
        row[3:] = numbers("light rgb", np.broadcast_to(rgb, 3), (3,))
    out = np.empty((len(normals), 3), np.float32)
    sim3dr.shade(normals, albedo, gloss, ambient, rays, _unit("view", view), float(shininess), out)
    return out


def normalized_code(mean_vertices) -> np.ndarray:
    """NCC codes (N, 3) float32 in 0..1: each axis of a mean shape stretched to its own minimum and maximum.

    Drawn on a posed mesh they are its PNCC (Zhu et al. 2016; spec prn_vrn_3ddfa A.4: 3DDFA takes the mean shape
    alone, 3DDFA_V2 mean shape + mean expression without ears and neck).
    """
    mean = numbers("mean_vertices", mean_vertices, (None, 3))
    low, high = mean.min(axis=0), mean.max(axis=0)
    if not (high > low).all():
        raise FacemillError(
            f"mean_vertices: expected some extent on every axis, found {(high - low).tolist()}"
        )
    return ((mean - low) / (high - low)).astype(np.float32)


def pncc(raster: Raster, triangles, code) -> np.ndarray:
    """Projected normalised coordinate code, (H, W, 3) float32 in 0..1, black where there is no face."""
    return interpolate(raster, triangles, numbers("code", code, (None, 3), np.float32))


def depth_image(depth, mask) -> np.ndarray:
    """Depth (H, W) as grey levels (H, W) uint8 where the bool ``mask`` (H, W) says that there is a surface: farthest
    visible point 1, nearest 255, no surface 0.

    A picture with a single depth shows it as 255.
    """
    image = np.zeros(np.shape(depth), np.uint8)
    found = np.asarray(depth)[mask].astype(np.float64)
    if found.size:
        low, high = found.min(), found.max()
        share = (found - low) / (high - low) if high > low else np.ones_like(found)
        image[mask] = np.rint(1 + 254 * share).astype(np.uint8)
    return image


def _triangles(triangles, count: int) -> np.ndarray:
    array = np.asarray(triangles)
    ready = array.dtype == np.int32 and array.flags.c_contiguous and array.ndim == 2 and array.shape[1] == 3
    if ready and sim3dr.bad_triangle(array, count) < 0:
        return array
    return indices("triangles", array, 3, count)


def _check_rows(raster: Raster, triangles: np.ndarray) -> None:
    check_shape("raster.barycentric", raster.barycentric, (*raster.triangle.shape, 3))
    most = int(raster.triangle.max(initial=-1))
    if most >= len(triangles):
        raise FacemillError(f"the raster shows triangle {most}, but there are {len(triangles)} triangles")


def _unit(name: str, vector) -> np.ndarray:
    vector = numbers(name, vector, (3,))
    length = np.linalg.norm(vector)
    if not length > 0:
        raise FacemillError(f"{name}: expected a direction with length, found {vector.tolist()}")
    return vector / length
