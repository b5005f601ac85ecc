"""Compiled kernels, built from ``ext/`` by ``python setup.py build_ext --inplace``.

This file says which sources each extension is made of, and how their digest is taken. ``setup.py`` compiles
the digest in (``module.SOURCE_DIGEST``), so a stale extension can be told from a fresh one without timestamps.
Nothing here imports an extension: ``setup.py`` loads this file before there is one.
"""

import hashlib
from pathlib import Path

SOURCES = {
    "closest": ("closest.pyx", "include/box_tree.h", "include/dispatch.h", "include/on_triangle.h"),
    "nms": ("nms.pyx", "include/dispatch.h", "include/suppress.h"),
    "sim3dr": (
        "sim3dr.pyx",
        "include/dispatch.h",
        "include/edges.h",
        "include/raster.h",
        "include/shading.h",
    ),
    "mesh_render": (
        "mesh_render.pyx",
        "include/backfill.h",
        "include/dispatch.h",
        "include/edges.h",
        "include/gather.h",
        "include/nearest.h",
        "include/voxels.h",
    ),
}
"""Extension name -> its source files, relative to ``ext/``."""

EXT = Path(__file__).resolve().parents[2] / "ext"


def source_digest(name: str, ext: Path = EXT) -> str:
    """sha256 (64 hex digits) over the names and bytes of the sources of extension ``name`` under ``ext``.

    Raises FileNotFoundError when a source is missing, KeyError for an unknown extension.
    """
    digest = hashlib.sha256()
    for source in SOURCES[name]:
        content = (ext / source).read_bytes()
        digest.update(f"{source}:{len(content)}:".encode())
        digest.update(content)
    return digest.hexdigest()
