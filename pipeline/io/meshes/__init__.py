"""Triangle meshes in and out: Wavefront OBJ with MTL, PLY, VRML 2.0, binary glTF."""

from pipeline.io.meshes.files import SUFFIXES, read_mesh
from pipeline.io.meshes.glb import write_glb
from pipeline.io.meshes.mesh import Mesh
from pipeline.io.meshes.obj import write_obj
from pipeline.io.meshes.ply import write_ply

__all__ = ["SUFFIXES", "Mesh", "read_mesh", "write_glb", "write_obj", "write_ply"]
