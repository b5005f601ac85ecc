"""A file is whole or not there, and a killed job leaves nothing behind once its file has been made."""

import pytest

from pipeline.io.files import atomic_path, write_text


def test_what_a_killed_job_left_is_gone_when_its_file_is_made(tmp_path):
    writer = atomic_path(tmp_path / "a.txt")
    writer.__enter__().write_text("half of something longer")
    (left,) = tmp_path.iterdir()
    killed = left.read_bytes()
    writer.__exit__(None, None, None)
    (tmp_path / "a.txt").unlink()
    left.write_bytes(killed)
    write_text(tmp_path / "a.txt", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "whole"


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(RuntimeError), atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"
