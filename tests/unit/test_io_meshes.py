"""Meshes in and out: the same surface from OBJ, PLY and VRML, and one clear line for files that hold none."""

import numpy as np
import pytest

from pipeline.io.meshes import Mesh, read_mesh, write_obj, write_ply
from pipeline.io.meshes.obj import read_vertices
from pipeline.records import FacemillError

POINTS = np.array([[0, 0, 0], [2, 0, 0.5], [2, 1, 0], [0, 1, 0.25], [1, 2, -1.5]])
SPLIT = [[0, 1, 2], [0, 2, 3], [3, 2, 4]]
CHART = np.array([[0, 0], [1, 0], [1, 0.5], [0, 0.5], [0.5, 1]])
COLOURS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 20, 30], [255, 255, 255]], np.uint8)

OBJ = """\
# a quad and a triangle, the triangle counted from the end
mtllib house.mtl
v 0 0 0
v 2 0 0.5
v 2 1 0
v 0 1 0.25
v 1 2 -1.5
vt 0 0
vt 1 0
vt 1 0.5
vt 0 0.5
vt 0.5 1 0
vn 0 0 1
usemtl wall
f 1/1/1 2/2/1 3/3/1 4/4/1
f -2/-2 -3/-3 -1/-1
"""
WRL = """\
#VRML V2.0 utf8
# made for a test, not "by" a scanner
WorldInfo { title "a } in a text" info [ "one", "two" ] }
DEF top Transform { translation 0 0 0 children [
  Viewpoint { position 0 0 500 orientation 0 0 1 0 fieldOfView 0.2 }
  Shape {
    appearance Appearance { material Material { diffuseColor 1 1 1 } texture ImageTexture { url "000.jpg" } }
    geometry IndexedFaceSet {
      coord Coordinate { point [ 0 0 0, 2 0 0.5, 2 1 0, 0 1 .25,
        1.0e0 2 -1.5 ] }
      solid FALSE
      coordIndex [ 0, 1, 2, 3, -1, 3, 2, 4 ]
      texCoord TextureCoordinate { point [ 0 0, 1 0, 1 0.5, 0 0.5, 0.5 1 ] }
      texCoordIndex [ 0 1 2 3 -1 3 2 4 -1 ]
    }
  }
] }
"""
PLY = """\
ply
format ascii 1.0
comment TextureFile skin.png
element vertex 5
property float x
property float y
property float z
property uchar red
property uchar green
property uchar blue
element face 2
property list uchar int vertex_indices
property list uchar float texcoord
end_header
0 0 0 255 0 0
2 0 0.5 0 255 0
2 1 0 0 0 255
0 1 0.25 10 20 30
1 2 -1.5 255 255 255
4 0 1 2 3 8 0 0 1 0 1 0.5 0 0.5
3 3 2 4 6 0 0.5 1 0.5 0.5 1
"""


def texture_corners(mesh):
    """Texture coordinates (T, 3, 2) at the corners of the triangles."""
    return mesh.uv[mesh.uv_triangles]


@pytest.mark.parametrize(("name", "text"), [("a.obj", OBJ), ("000.wrl", WRL), ("a.ply", PLY)])
def test_quads_are_split_and_corners_keep_their_texture(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    mesh = read_mesh(tmp_path / name)
    np.testing.assert_array_equal(mesh.vertices, POINTS)
    np.testing.assert_array_equal(mesh.triangles, SPLIT)
    np.testing.assert_array_equal(texture_corners(mesh), CHART[np.array(SPLIT)])
    if name == "a.ply":
        np.testing.assert_array_equal(mesh.colours, COLOURS)
    else:
        assert mesh.colours is None


def test_a_texture_is_the_named_picture_else_the_one_with_the_meshs_name(tmp_path):
    (tmp_path / "head.obj").write_text(OBJ)
    (tmp_path / "house.mtl").write_text(
        "newmtl other\nmap_Kd no.png\nnewmtl wall\nKd 1 1 1\nmap_Kd maps\\brick.png\n"
    )
    assert read_mesh(tmp_path / "head.obj").texture == tmp_path / "maps" / "brick.png"
    (tmp_path / "head.BMP").write_bytes(b"a picture")
    assert read_mesh(tmp_path / "head.obj").texture == tmp_path / "head.BMP"
    (tmp_path / "brick.png").write_bytes(b"a picture")
    assert read_mesh(tmp_path / "head.obj").texture == tmp_path / "brick.png"
    (tmp_path / "007.wrl").write_text(WRL)
    (tmp_path / "007.jpg").write_bytes(b"a picture")
    assert read_mesh(tmp_path / "007.wrl").texture == tmp_path / "007.jpg"
    (tmp_path / "000.jpg").write_bytes(b"a picture")
    assert read_mesh(tmp_path / "007.wrl").texture == tmp_path / "000.jpg"


def binary_ply(order: str, polygons: list[list[int]], charts: bool = False) -> bytes:
    """The house in binary PLY; ``charts`` adds a second list to each face."""
    name = {"<": "binary_little_endian", ">": "binary_big_endian"}[order]
    head = ["ply", f"format {name} 1.0", "element vertex 5"]
    head += [f"property double {axis}" for axis in "xyz"] + ["property float quality"]
    head += [f"element face {len(polygons)}", "property list uchar uint vertex_index"]
    head += ["property list int float texcoord"] if charts else []
    body = b"".join(
        np.array(p, f"{order}f8").tobytes() + np.array(0.5, f"{order}f4").tobytes() for p in POINTS
    )
    for polygon in polygons:
        body += bytes([len(polygon)]) + np.array(polygon, f"{order}u4").tobytes()
        if charts:
            values = CHART[polygon].ravel()
            body += np.array(len(values), f"{order}i4").tobytes() + np.array(values, f"{order}f4").tobytes()
    return ("\n".join([*head, "end_header"]) + "\n").encode() + body


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("polygons", [SPLIT, [[0, 1, 2, 3], [3, 2, 4]]])
@pytest.mark.parametrize("charts", [False, True])
def test_binary_ply_of_either_order_with_triangles_or_quads(tmp_path, order, polygons, charts):
    (tmp_path / "a.ply").write_bytes(binary_ply(order, polygons, charts))
    mesh = read_mesh(tmp_path / "a.ply")
    np.testing.assert_array_equal(mesh.vertices, POINTS)
    np.testing.assert_array_equal(mesh.triangles, SPLIT)
    if charts:
        np.testing.assert_array_equal(texture_corners(mesh), CHART[np.array(SPLIT)])
    else:
        assert mesh.uv is None


def test_ply_texture_coordinates_at_the_vertices(tmp_path):
    head = "ply\nformat ascii 1.0\nelement vertex 3\n" + "".join(f"property float {n}\n" for n in "xyzst")
    head += "element face 1\nproperty list uchar int vertex_indices\nend_header\n"
    (tmp_path / "a.ply").write_text(head + "0 0 0 0 0\n1 0 0 1 0\n0 1 0 0 1\n3 0 1 2\n")
    mesh = read_mesh(tmp_path / "a.ply")
    np.testing.assert_array_equal(texture_corners(mesh), [[[0, 0], [1, 0], [0, 1]]])


@pytest.mark.parametrize("coloured", [False, True])
@pytest.mark.parametrize("textured", [False, True])
def test_obj_comes_back_as_it_was_written(tmp_path, coloured, textured):
    rng = np.random.default_rng(4)
    points = rng.normal(0, 90, (40, 3)).astype(np.float32).astype(np.float64)
    triangles = rng.integers(0, 40, (70, 3)).astype(np.int32)
    chart = rng.random((50, 2)).astype(np.float32).astype(np.float64)
    written = Mesh(
        points,
        triangles,
        rng.integers(0, 256, (40, 3)).astype(np.uint8) if coloured else None,
        chart if textured else None,
        rng.integers(0, 50, (70, 3)).astype(np.int32) if textured else None,
        tmp_path / "skin.png" if textured else None,
    )
    write_obj(tmp_path / "a.obj", written)
    back = read_mesh(tmp_path / "a.obj")
    np.testing.assert_array_equal(back.vertices.astype(np.float32), points.astype(np.float32))
    for name in ("triangles", "colours", "uv_triangles"):
        np.testing.assert_array_equal(getattr(back, name), getattr(written, name))
    if textured:
        np.testing.assert_array_equal(back.uv.astype(np.float32), chart.astype(np.float32))
    assert back.texture == written.texture


@pytest.mark.parametrize("coloured", [False, True])
def test_ply_comes_back_as_it_was_written(tmp_path, coloured):
    written = Mesh(POINTS, np.array(SPLIT, np.int32), COLOURS if coloured else None)
    write_ply(tmp_path / "a.ply", written)
    back = read_mesh(tmp_path / "a.ply")
    np.testing.assert_array_equal(back.vertices, POINTS)
    np.testing.assert_array_equal(back.triangles, SPLIT)
    np.testing.assert_array_equal(back.colours, COLOURS if coloured else None)


def cut(text: str, where: str) -> bytes:
    """The text up to and with ``where``."""
    return text[: text.index(where) + len(where)].encode()


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.stl", b"solid", r"a\.stl: expected a mesh \(\.obj, \.ply, \.wrl, \.glb\), found \.stl"),
        ("a.obj", b"", "found an empty file"),
        ("a.obj", b"\x89PNG\r\n\x1a\n\x00\x01", "expected vertices"),
        ("a.obj", cut(OBJ, "v 2 1 0"), "expected triangles, found none; the file is truncated"),
        ("a.obj", cut(OBJ, "v 2 0"), "line 4: expected 3 or 4 or 6 numbers, found 2"),
        ("a.obj", cut(OBJ, "2/2/1"), "line 15: expected a face of at least 3 corners, found 2"),
        ("a.obj", OBJ.replace("2/2/1 3", "2/2/1 9").encode(), r"names vertex \[0, 1, 8\], but there are 5"),
        ("a.obj", OBJ.replace("f -2/-2", "f 0/1").encode(), "line 16: expected numbers from 1, found 0"),
        ("a.obj", OBJ.replace("f -2/-2", "f 4294967299/1").encode(), "line 16: expected numbers from 1, found 42949"),
        ("a.obj", OBJ.replace("v 2 1 0", "v 2 one 0").encode(), "line 5: expected v x y z, .*found 'v 2 one 0'"),
        ("a.obj", OBJ.replace("f -2/-2", "f -2").encode(), "line 16: expected texture coordinates on all corners"),
        ("a.obj", OBJ.replace("f -2/-2 -3/-3 -1/-1", "f -2 -3 -1").encode(), "on 1 of 2"),
        ("a.obj", OBJ.replace("v 2 1 0", "v 2 nan 0").encode(), "vertex 2 is not finite"),
        ("a.obj", OBJ.replace("v 2 1 0", "v 2 1 0 1 1 1").encode(), "colours on all vertices or on none, found 1"),
        ("a.ply", OBJ.encode(), "the file is no PLY"),
        ("a.ply", cut(PLY, "property list uchar int"), "the file is no PLY"),
        ("a.ply", cut(PLY, "2 0 0.5 0 255"), "expected 5 of vertex, number 1 is cut off"),
        ("a.ply", cut(PLY, "4 0 1 2 3 8 0 0 1"), "expected 2 of face, number 0 is cut off"),
        ("a.ply", PLY.replace("ascii", "text").encode(), "expected the format ascii"),
        ("a.ply", PLY.replace("list uchar int", "list uchar whole").encode(), "cannot read the line"),
        ("a.ply", binary_ply("<", SPLIT)[:-5], "expected 3 of face, number 2 is cut off"),
        ("a.ply", binary_ply("<", SPLIT)[:-60], "expected 5 of vertex, number 4 is cut off"),
        ("a.ply", PLY.replace("vertex_indices", "corners").encode(), "expected faces with vertex_indices"),
        ("a.wrl", b"#VRML V1.0 ascii\n", "starts with #VRML V2.0, found '#VRML V1.0 ascii'"),
        ("a.wrl", cut(WRL, "point [ 0 0 0, 2"), "ends in the middle of a list"),
        ("a.wrl", cut(WRL, "coordIndex [ 0, 1, 2, 3, -1, 3, 2, 4 ]"), "ends in the middle"),
        ("a.wrl", b"#VRML V2.0 utf8\nShape { }\n", "expected one IndexedFaceSet, found 0"),
        ("a.wrl", WRL.replace("translation 0 0 0", "translation 0 9 0").encode(), "a Transform that moves it"),
        ("a.wrl", WRL.replace("[ 0 1 2 3 -1 3 2 4 -1 ]", "[ 0 1 2 -1 ]").encode(), "the faces of coordIndex"),
        ("a.wrl", WRL.replace("2 -1.5 ]", "2 ]").encode(), "rows of 3 numbers, found 14"),
    ],
)  # fmt: skip
def test_files_that_hold_no_mesh_say_so_in_one_line(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(FacemillError, match=message) as error:
        read_mesh(tmp_path / name)
    assert str(tmp_path / name) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("text", [OBJ, OBJ.replace("v ", "v\t"), OBJ.replace("v ", " v  ")])
def test_the_vertices_alone_are_those_of_the_mesh_however_the_lines_are_spaced(tmp_path, text):
    (tmp_path / "a.obj").write_text(text)
    np.testing.assert_array_equal(read_vertices(tmp_path / "a.obj"), POINTS)
    np.testing.assert_array_equal(read_mesh(tmp_path / "a.obj").vertices, POINTS)
    with pytest.raises(FacemillError, match="no file"):
        read_vertices(tmp_path / "b.obj")


def test_a_missing_file_and_two_textures_say_so(tmp_path):
    with pytest.raises(FacemillError, match="found no file to read"):
        read_mesh(tmp_path / "a.obj")
    (tmp_path / "a.obj").write_text(OBJ.replace("f -2", "usemtl roof\nf -2"))
    (tmp_path / "house.mtl").write_text("newmtl wall\nmap_Kd a.png\nnewmtl roof\nmap_Kd b.png\n")
    with pytest.raises(FacemillError, match=r"expected one texture, found 2: a\.png, b\.png"):
        read_mesh(tmp_path / "a.obj")
