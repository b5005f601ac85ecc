"""TensorFlow's checkpoints, read without TensorFlow."""

import numpy as np
import pytest

from pipeline.io.crc32c import crc32c
from pipeline.io.leveldb import read_table
from pipeline.io.snappy import unpack
from pipeline.io.tensorflow import Checkpoint
from pipeline.records import FacemillError
from tests.unit import tensorflow_files as tf


def variables(count=40):
    random = np.random.default_rng(0)
    found = {
        f"net/block_{k}/weights": random.normal(size=(3, 2, k % 3 + 1)).astype("f4") for k in range(count)
    }
    return {
        **found,
        "double": random.normal(size=(2, 3)),
        "half": random.normal(size=5).astype("f2"),
        "int": np.array([[-3, 2**30]], "i4"),
        "long": np.array([-(2**60)], "i8"),
        "flags": np.array([True, False, True]),
        "scalar": np.float32(0.25),
        "empty": np.zeros((0, 4), "f4"),
    }


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"shards": 3},
        {"per_block": 7},
        {"packed": True},
        {"per_block": 5, "packed": True, "shards": 2},
        {"checksums": False},
    ],
    ids=str,
)
def test_every_variable_comes_back(tmp_path, table):
    prefix, written = tmp_path / "model.ckpt-7", variables()
    tf.write_checkpoint(prefix, written, **table)
    read = Checkpoint(prefix)
    assert set(read) == set(written) and len(read) == len(written)
    for name, values in written.items():
        values = np.asarray(values)
        assert read[name].dtype == values.dtype and read[name].shape == values.shape
        np.testing.assert_array_equal(read[name], values)


def test_a_table_leaves_out_what_neighbouring_keys_share(tmp_path):
    rows = [(f"a/long/common/beginning/{k:03d}".encode(), str(k).encode() * (k % 4)) for k in range(50)]
    tf.write_table(tmp_path / "whole", rows)
    tf.write_table(tmp_path / "cut", rows, per_block=20)
    assert (tmp_path / "whole").stat().st_size < sum(len(key) for key, _ in rows)
    assert read_table(tmp_path / "whole") == read_table(tmp_path / "cut") == sorted(rows)


def test_any_of_its_files_names_the_checkpoint(tmp_path):
    prefix = tmp_path / "model"
    tf.write_checkpoint(prefix, {"x": np.ones(3, "f4")}, shards=2)
    files = Checkpoint(prefix).files
    assert [file.name for file in files] == [
        "model.index",
        "model.data-00000-of-00002",
        "model.data-00001-of-00002",
    ]
    for file in files:
        np.testing.assert_array_equal(Checkpoint(file)["x"], np.ones(3, "f4"))


def test_checksums_are_the_published_ones():
    assert crc32c(b"") == 0
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    data = np.random.default_rng(1).bytes(3001)
    for length in (1, 2, 3, 7, 64, 255, 1024, 3001):
        assert crc32c(data[:length]) == tf.slow_crc32c(data[:length])


def test_snappy_unpacks_literals_and_copies_of_every_kind():
    random = np.random.default_rng(2)
    far = random.bytes(70_000)
    for data in (b"", b"a", b"ab" * 40, b"x" * 500, random.bytes(300), far[:100] + far[:100] + b"end"):
        assert unpack(tf.snappy(data)) == data
    packed = tf.varint(70_006) + bytes([62 << 2]) + (69_999).to_bytes(3, "little") + far
    packed += bytes([3 | 5 << 2]) + (70_000).to_bytes(4, "little")
    assert unpack(packed) == far + far[:6]


@pytest.mark.parametrize(
    "data",
    [b"", b"\x80", b"\x05\x10ab", b"\x04\x00a", b"\x04\x01\x01", b"\x08\x00a\x12\x05\x00", b"\x04\x00a\x01"],
)
def test_damaged_snappy_is_refused(data):
    with pytest.raises(FacemillError, match="snappy"):
        unpack(data)


def broken(path, place, mask=0x40):
    data = bytearray(path.read_bytes())
    data[place] ^= mask
    path.write_bytes(data)


def test_a_damaged_index_is_refused_wherever_a_bit_turns(tmp_path):
    prefix, written = tmp_path / "model", {"a/x": np.ones(3, "f4"), "a/y": np.zeros(2, "f4")}
    tf.write_checkpoint(prefix, written)
    index = tmp_path / "model.index"
    whole = index.read_bytes()
    footer = len(whole) - 48
    offset, size = whole[footer : footer + 2]  # of the table of tables, which holds nothing
    unused = {*range(offset, offset + size + 5), *range(footer, footer + 2), *range(footer + 4, footer + 40)}
    for place in range(len(whole)):
        broken(index, place)
        try:
            read = Checkpoint(prefix)
            assert set(read) == set(written) and place in unused
        except FacemillError as error:
            assert "model.index" in str(error)
        index.write_bytes(whole)


@pytest.mark.parametrize("packed", [False, True])
def test_a_cut_index_is_refused_wherever_it_is_cut(tmp_path, packed):
    prefix = tmp_path / "model"
    tf.write_checkpoint(prefix, {"a/x": np.ones(3, "f4")}, packed=packed)
    index = tmp_path / "model.index"
    whole = index.read_bytes()
    for length in range(len(whole)):
        index.write_bytes(whole[:length])
        with pytest.raises(FacemillError, match=r"model\.index: expected"):
            Checkpoint(prefix)


def test_missing_damaged_and_cut_files_of_numbers_are_named(tmp_path):
    prefix = tmp_path / "model"
    with pytest.raises(FacemillError, match=r"no file .*model\.index"):
        Checkpoint(prefix)
    tf.write_checkpoint(prefix, {"a": np.ones(3, "f4"), "b": np.arange(4, dtype="f4")})
    data = tmp_path / "model.data-00000-of-00001"
    broken(data, 13)
    read = Checkpoint(prefix)
    np.testing.assert_array_equal(read["a"], np.ones(3))
    with pytest.raises(FacemillError, match=r"data-00000-of-00001: b: expected the checksum"):
        read["b"]
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(
        FacemillError, match="expected b in bytes 12 to 28, found a file of 27: it is cut short"
    ):
        read["b"]
    data.unlink()
    with pytest.raises(FacemillError, match=r"cannot read .*data-00000-of-00001"):
        read["a"]


def test_a_name_that_it_lacks_is_said_with_what_was_meant(tmp_path):
    tf.write_checkpoint(tmp_path / "model", {"net/Conv/weights": np.ones(3, "f4")})
    with pytest.raises(FacemillError, match=r"no variable 'net/Conv/weight'.*'net/Conv/weights'"):
        Checkpoint(tmp_path / "model")["net/Conv/weight"]


def test_other_types_slices_and_byte_orders_are_refused_by_name(tmp_path):
    extra = [
        (b"words", tf.entry(7, (1,), 0, 0, b"abcd")),
        (b"slices", tf.entry(1, (1,), 0, 0, b"abcd") + tf.text(7, b"")),
        (b"wrong", tf.entry(1, (2, 3), 0, 0, b"abcd")),
    ]
    tf.write_checkpoint(tmp_path / "model", {"x": np.ones(3, "f4")}, extra=extra)
    read = Checkpoint(tmp_path / "model")
    for name, words in (("words", "number 7"), ("slices", "slices"), ("wrong", "4 bytes do not hold")):
        with pytest.raises(FacemillError, match=f"{name}.*{words}"):
            read[name]
    tf.write_table(tmp_path / "big.index", [(b"", tf.number(1, 1) + tf.number(2, 1))])
    with pytest.raises(FacemillError, match="high byte first"):
        Checkpoint(tmp_path / "big")
    tf.write_table(tmp_path / "other.index", [(b"a", b"b")])
    with pytest.raises(FacemillError, match="header, found none"):
        Checkpoint(tmp_path / "other")
    for message in (b"\xff", b"\x0a\x05a", b"\x0b", tf.number(2, 4), tf.text(1, b"x")):
        tf.write_table(tmp_path / "odd.index", [(b"", tf.number(1, 1)), (b"a", message)])
        with pytest.raises(FacemillError, match=r"odd\.index: expected a TensorFlow checkpoint's entries"):
            Checkpoint(tmp_path / "odd")
