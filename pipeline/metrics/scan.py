"""Distance of a measured scan to a reconstructed mesh, as the benchmarks with scans report it, in the scan's unit or
over the distance between the eyes."""

from __future__ import annotations

import numpy as np

from pipeline.geometry.closest import Tree
from pipeline.geometry.registration import icp
from pipeline.geometry.similarity import Similarity


def scan_to_mesh(scan: np.ndarray, vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Distance of each scan point to the closest point of the mesh, wherever on a triangle that is.

    Args:
        scan: (N, 3) points; vertices: (M, 3) in the same frame and unit.
        triangles: (T, 3) vertex numbers; degenerate ones count as the edges that they are.

    Returns:
        (N,) float64, exact but for rounding.
    """
    return Tree(vertices, triangles).closest(scan).distances


def scan_to_mesh_error(
    scan: np.ndarray,
    vertices: np.ndarray,
    triangles: np.ndarray,
    *,
    initial: Similarity,
    with_scale: bool = False,
    size: float | None = None,
    trim: float = 0.0,
    iterations: int | None = 50,
    tolerance: float = 1e-5,
) -> float:
    """Mean distance of the scan's points to the mesh after ICP against its surface.

    Args:
        scan: (N, 3) points cut to the face.
        vertices: (M, 3) of the reconstruction, any frame; triangles: (T, 3).
        initial: the motion to begin with, as of landmarks (`umeyama`); its scale stays unless ``with_scale``.
        with_scale: solve for a scale in each round.
        size: None for the scan's unit (mm as a rule); else a length in that unit, such as the interocular distance, of
            which the figure is per cent.
        trim, iterations, tolerance: of `icp`; the mean is over all points, trimmed or not.
    """
    distances = icp(
        vertices,
        scan,
        triangles=triangles,
        initial=initial,
        with_scale=with_scale,
        trim=trim,
        iterations=iterations,
        tolerance=tolerance,
    ).distances
    return float(distances.mean() if size is None else 100.0 * distances.mean() / size)
