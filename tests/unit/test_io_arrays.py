"""Arrays of other projects' files: whole, or one line that names the file, whatever has become of its bytes."""

import numpy as np
import pytest
from photo_files import encrypt_flags

from pipeline.datasets.base import AnnotationProblem
from pipeline.datasets.scans.truth import read_truth
from pipeline.io.arrays import read_npy, read_npz
from pipeline.morphable import load_face_model
from pipeline.records import FacemillError


def archive(path):
    np.savez(path, u=np.zeros((3, 4)))
    return path


def replaced(path, old, new):
    data = path.read_bytes()
    assert old in data and len(old) == len(new)
    path.write_bytes(data.replace(old, new))


DAMAGES = {
    "encrypted": (encrypt_flags, "is encrypted, password required"),
    "another compression": (
        lambda path: replaced(path, b"PK\x01\x02-\x03-\x00\x00\x00\x00\x00", b"PK\x01\x02-\x03-\x00\x00\x00\x63\x00"),
        "compression method is not supported",
    ),
    "flipped bits": (lambda path: replaced(path, b"'descr'", b"'dXscr'"), "Bad CRC-32"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-30]), "found "),
    "an .npy": (lambda path: path.with_suffix(".npy").rename(path), "found "),
    "a text": (lambda path: path.write_text("no archive"), "found "),
    "empty": (lambda path: path.write_bytes(b""), "No data left in file"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("reader", ["read_npz", "npz", "ict", "scans"])
def test_a_damaged_archive_is_one_line_in_every_reader(tmp_path, damage, reader):
    path = archive(tmp_path / "a.npz")
    np.save(tmp_path / "a.npy", np.zeros(3))
    change, message = DAMAGES[damage]
    change(path)
    error, read = {
        "read_npz": (FacemillError, lambda: read_npz(path)),
        "scans": (AnnotationProblem, lambda: read_truth(path)),
    }.get(reader, (FacemillError, lambda: load_face_model(reader, path)))
    with pytest.raises(error, match=message) as problem:
        read()
    assert "a.npz" in str(problem.value) and "\n" not in str(problem.value)
    assert reader != "scans" or str(tmp_path) not in str(problem.value)


def test_a_damaged_header_of_an_array_is_one_line(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((3, 4)))
    replaced(path, b"(3, 4), }", b"(3, 4, (}")
    with pytest.raises(
        FacemillError, match=r"a\.npy: expected a \.npy array, found .*EOF in multi-line"
    ) as error:
        read_npy(path)
    assert "\n" not in str(error.value)
