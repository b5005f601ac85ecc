"""Binary glTF: what is written is what the format asks for, and comes back."""

import json
import struct

import numpy as np
import pytest

from pipeline.io.meshes import Mesh, read_mesh, write_glb
from pipeline.records import FacemillError

POINTS = np.array([[0, 0, 0], [2, 0, 0.5], [2, 1, 0], [0, 1, 0.25], [1, 2, -1.5]])
TRIANGLES = np.array([[0, 1, 2], [0, 2, 3], [3, 2, 4]], np.int32)
COLOURS = np.array([[255, 0, 1], [0, 255, 2], [0, 0, 255], [10, 20, 30], [128, 127, 254]], np.uint8)


def document_of(data):
    size, kind = struct.unpack_from("<II", data, 12)
    assert kind == 0x4E4F534A
    return json.loads(data[20 : 20 + size]), data[20 + size :]


def changed(path, change):
    """The file with its document changed by a function."""
    document, rest = document_of(path.read_bytes())
    change(document)
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<II", len(text), 0x4E4F534A) + text + rest
    path.write_bytes(b"glTF" + struct.pack("<II", 2, 12 + len(body)) + body)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "face.glb"
    write_glb(path, Mesh(POINTS, TRIANGLES, COLOURS))
    return path


def test_a_mesh_comes_back(path):
    found = read_mesh(path)
    np.testing.assert_array_equal(found.vertices, POINTS)
    np.testing.assert_array_equal(found.triangles, TRIANGLES)
    np.testing.assert_array_equal(found.colours, COLOURS)


def test_every_grey_comes_back_and_meshes_without_colours_too(tmp_path):
    grey = np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1)
    points = np.random.default_rng(0).normal(size=(256, 3)).astype(np.float32)
    corners = np.arange(255, dtype=np.int32).reshape(-1, 3)
    write_glb(tmp_path / "grey.glb", Mesh(points, corners, grey))
    np.testing.assert_array_equal(read_mesh(tmp_path / "grey.glb").colours, grey)
    write_glb(tmp_path / "plain.glb", Mesh(points, corners))
    assert read_mesh(tmp_path / "plain.glb").colours is None


def test_the_file_is_what_the_format_asks_for(path):
    data = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data)) and length % 4 == 0
    document, rest = document_of(data)
    size, kind = struct.unpack_from("<II", rest)
    assert kind == 0x004E4942 and size == len(rest) - 8 and size % 4 == 0
    position, colour, index = document["accessors"]
    assert position["min"] == [0, 0, -1.5] and position["max"] == [2, 2, 0.5]
    assert [a["componentType"] for a in (position, colour, index)] == [5126, 5123, 5125]
    assert [a["type"] for a in (position, colour, index)] == ["VEC3", "VEC4", "SCALAR"]
    assert colour["normalized"] and [a["count"] for a in (position, colour, index)] == [5, 5, 9]
    for view in document["bufferViews"]:
        assert view["byteOffset"] % 4 == 0 and view["byteOffset"] + view["byteLength"] <= size
    first = document["bufferViews"][1]["byteOffset"] + 8
    np.testing.assert_array_equal(
        np.frombuffer(rest, "<u2", 4, first), [65535, 0, round(65535 / 255 / 12.92), 65535]
    )
    assert document["buffers"] == [{"byteLength": sum(v["byteLength"] for v in document["bufferViews"])}]


def test_other_numbers_of_the_format_are_read(tmp_path):
    """Interleaved floats and colours of bytes, no indices: as other writers have them."""
    rows = np.zeros(3, [("p", "<f4", 3), ("c", "u1", 4)])
    rows["p"], rows["c"] = POINTS[:3], [[255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255]]
    document = {
        "asset": {"version": "2.0"},
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0, "COLOR_0": 1}}]}],
        "buffers": [{"byteLength": 48}],
        "bufferViews": [{"buffer": 0, "byteLength": 48, "byteStride": 16}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"},
            {
                "bufferView": 0,
                "byteOffset": 12,
                "componentType": 5121,
                "count": 3,
                "type": "VEC4",
                "normalized": True,
            },
        ],
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    body = (
        struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", 48, 0x004E4942) + rows.tobytes()
    )
    path = tmp_path / "other.glb"
    path.write_bytes(b"glTF" + struct.pack("<II", 2, 12 + len(body)) + body)
    found = read_mesh(path)
    np.testing.assert_array_equal(found.vertices, POINTS[:3])
    np.testing.assert_array_equal(found.triangles, [[0, 1, 2]])
    np.testing.assert_array_equal(found.colours, np.eye(3, dtype=np.uint8) * 255)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["meshes"].clear(), "expected one surface, found 0"),
        (lambda d: d["nodes"][0].update(scale=[2, 2, 2]), "a node with scale"),
        (lambda d: d["meshes"][0]["primitives"][0].update(mode=5), "found mode 5"),
        (lambda d: d["accessors"][0].update(count=500), "found fewer; the file is truncated"),
        (lambda d: d["buffers"][0].update(uri="face.bin"), "a buffer in another"),
        (lambda d: d["accessors"][0].pop("bufferView"), "sparse or compressed"),
        (lambda d: d["accessors"].pop(), "the file is damaged"),
    ],
)
def test_files_that_cannot_be_read_say_why(path, change, words):
    changed(path, change)
    with pytest.raises(FacemillError, match=words):
        read_mesh(path)


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (lambda b: b[:-8], "truncated"),
        (lambda b: b"glTX" + b[4:], "starts with glTF"),
        (lambda b: b[:14], "expected"),
    ],
)
def test_broken_files_say_why(path, cut, words):
    path.write_bytes(cut(path.read_bytes()))
    with pytest.raises(FacemillError, match=words):
        read_mesh(path)


def test_another_version_is_refused(path):
    data = bytearray(path.read_bytes())
    data[4:8] = struct.pack("<I", 1)
    path.write_bytes(bytes(data))
    with pytest.raises(FacemillError, match="found version 1"):
        read_mesh(path)
