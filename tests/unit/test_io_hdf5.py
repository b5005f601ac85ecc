"""HDF5 files on a disk that runs full in the middle: one error of ours, no noise of the library's, nothing left."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.io import hdf5
from pipeline.io.spill import Spill
from pipeline.records import Contract, FacemillError, Field

CONTRACT = Contract("test.notes", 1, {"note": Field("str"), "image": Field("uint8", (64, 64), sparse=True)})
COUNT = 60
ROOT = Path(__file__).resolve().parents[2]
WRITE = """
import resource, sys
sys.path.insert(0, "tests/unit")
import test_io_hdf5
from pipeline.records import FacemillError

for size in map(int, sys.argv[2:]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        test_io_hdf5.write(sys.argv[1])
    except FacemillError as error:
        print(error)
"""


def write(path):
    """A file of which no room is asked for in advance: text, and a dataset that most samples leave out."""
    with hdf5.create(path, CONTRACT, COUNT, attributes={"unit": "none"}) as file:
        for k in range(COUNT):
            file["note"][k] = f"note {k} " * 20
            file["image"][k] = np.full((64, 64), k)


def test_a_disk_that_runs_full_at_any_moment_is_one_error(tmp_path):
    write(tmp_path / "whole.h5")
    whole = (tmp_path / "whole.h5").stat().st_size
    (tmp_path / "old.h5").write_bytes(b"old")
    limits = [1, 10, 100, 1000, 3000, 10_000, 50_000, 100_000, whole - 5000, whole - 100, whole - 1]
    done = subprocess.run(
        [sys.executable, "-c", WRITE, str(tmp_path / "old.h5"), *map(str, limits)],
        cwd=ROOT,
        text=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == len(limits)
    assert all(f"cannot write {tmp_path / 'old.h5'}: no space left" in line for line in lines)
    assert (tmp_path / "old.h5").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.h5", "whole.h5"]


def test_the_block_ends_at_the_first_sample_after_the_error(tmp_path, monkeypatch):
    written = []

    def full(file, data, place):
        if place > 30_000:
            raise OSError(28, "No space left on device")
        return pwrite(file, data, place)

    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", full)
    with (
        pytest.raises(FacemillError, match="no space left"),
        hdf5.create(tmp_path / "a.h5", CONTRACT, COUNT) as file,
    ):
        for k in range(COUNT):
            file["image"][k] = np.full((64, 64), k)
            file.flush()
            written.append(k)
    assert 0 < len(written) < 20


def test_two_files_with_the_same_content_have_the_same_bytes_and_bring_it_back(tmp_path):
    for name in ("a.h5", "b.h5"):
        write(tmp_path / name)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    with hdf5.open_checked(tmp_path / "a.h5", CONTRACT) as file:
        assert hdf5.texts(file["note"])[7] == "note 7 " * 20
        assert (file["image"][:] == np.arange(COUNT)[:, None, None]).all()


def test_after_an_error_reads_see_the_disk_and_the_memory(tmp_path):
    spill = Spill(tmp_path / "a")
    spill.write(b"0123456789")
    spill.error = OSError(28, "full")
    spill.seek(4)
    spill.write(b"abc")
    spill.seek(14)
    spill.write(b"xy")
    assert spill.seek(0, os.SEEK_END) == 16
    spill.seek(2)
    assert spill.read(13) == b"23abc789\0\0\0\0x"
    spill.close()
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_room_is_asked_for_before_the_block(tmp_path):
    contract = Contract("test.images", 1, {"image": Field("uint8", (64, 64))})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with (
            pytest.raises(FacemillError, match="no space left"),
            hdf5.create(tmp_path / "a.h5", contract, COUNT),
        ):
            pytest.fail("the block began")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
