"""Which format a mesh file has, and which picture is its texture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline.io.meshes.glb import read_glb
from pipeline.io.meshes.mesh import Mesh, checked
from pipeline.io.meshes.obj import read_obj
from pipeline.io.meshes.ply import read_ply
from pipeline.io.meshes.vrml import read_vrml
from pipeline.records import FacemillError

_READERS = {".obj": read_obj, ".ply": read_ply, ".wrl": read_vrml, ".glb": read_glb}
SUFFIXES = tuple(_READERS)
"""The endings of mesh files, in lower case."""
TEXTURES = (".jpg", ".jpeg", ".png", ".bmp")


def read_mesh(path: str | Path) -> Mesh:
    """The mesh in an OBJ, PLY, VRML 2.0 or .glb file; polygons are split into triangles.

    The texture is the picture that the file names, beside the mesh where the name leads elsewhere; where there is no
    such file, the picture with the mesh's own name, as BU-4DFE has 000.jpg beside 000.wrl.

    Raises:
        FacemillError: a missing, truncated or foreign file, with its path and what is wrong.
    """
    path = Path(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise FacemillError(
            f"{path}: expected a mesh ({', '.join(SUFFIXES)}), found {path.suffix or 'no ending'}"
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FacemillError(f"{path}: expected a mesh, found no file to read ({error.strerror})") from error
    if not data:
        raise FacemillError(f"{path}: expected a mesh, found an empty file")
    mesh = checked(path, reader(path, data))
    return replace(mesh, texture=_texture(path, mesh.texture)) if mesh.uv is not None else mesh


def _texture(path: Path, named: Path | None) -> Path | None:
    """The texture's file; where none exists, the name that the mesh gives."""
    found = [] if named is None else [named, path.with_name(named.name)]
    found += [path.with_suffix(suffix) for suffix in (*TEXTURES, *map(str.upper, TEXTURES))]
    return next((candidate for candidate in found if candidate.is_file()), named)
