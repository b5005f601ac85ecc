"""Slow numpy twins of the compiled kernels, in double precision: what the kernels are tested against.

Plain loops over triangles, boxes or voxels, written to be read. Nothing else in the package uses them. They check
nothing: the wrappers in geometry.mesh, geometry.posmap, geometry.volume, geometry.nms and geometry.closest do.
"""

from pipeline.geometry.reference.boxes import nms, soft_nms
from pipeline.geometry.reference.closest import closest_on_triangles, closest_points
from pipeline.geometry.reference.maps import codes, gather, map_values
from pipeline.geometry.reference.raster import interpolate, rasterize, visible_vertices
from pipeline.geometry.reference.shading import shade, vertex_normals
from pipeline.geometry.reference.volumes import backfill, columns, expand_columns, solid

__all__ = [
    "backfill",
    "closest_on_triangles",
    "closest_points",
    "codes",
    "columns",
    "expand_columns",
    "gather",
    "interpolate",
    "map_values",
    "nms",
    "rasterize",
    "shade",
    "soft_nms",
    "solid",
    "vertex_normals",
    "visible_vertices",
]
