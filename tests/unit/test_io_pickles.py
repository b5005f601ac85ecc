"""Published pickles are read as data; one that could run a program is refused, and nothing of it runs."""

import collections
import functools
import os
import pickle

import numpy as np
import pytest

from pipeline.io.pickles import read_pickle, read_pickled_dict
from pipeline.morphable.whitening import load_whitening, own_whitening
from pipeline.records import FacemillError
from tests.face_files import dump2

PLAIN = {
    "array": np.arange(12.0).reshape(3, 4),
    "fortran": np.asfortranarray(np.arange(6, dtype=np.int32).reshape(2, 3)),
    "bytes": b"\x00\xff",
    "numbers": [np.float32(2.5), 3, (True, None)],
    "type": np.dtype("float32"),
    "ordered": collections.OrderedDict(a=1),
    "set": {1, 2},
}


def write(tmp_path, data):
    path = tmp_path / "file.pkl"
    path.write_bytes(data)
    return path


def check(found):
    for key in ("array", "fortran"):
        np.testing.assert_array_equal(found[key], PLAIN[key])
        assert found[key].dtype == PLAIN[key].dtype
    assert found["numbers"] == PLAIN["numbers"] and found["type"] == PLAIN["type"]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_and_containers_come_back_from_every_protocol(tmp_path, protocol):
    found = read_pickle(write(tmp_path, pickle.dumps(PLAIN, protocol=protocol)))
    check(found)
    assert found["set"] == PLAIN["set"] and found["ordered"] == PLAIN["ordered"]
    assert found["bytes"] == PLAIN["bytes"]


def test_pickles_of_python_2_come_back_with_their_texts_as_latin_1(tmp_path):
    content = {key: PLAIN[key] for key in ("array", "fortran", "numbers", "type")}
    path = dump2(tmp_path / "old.pkl", {**content, "word": "caf\xe9"})
    assert b"numpy.core.multiarray" in path.read_bytes() and b"_codecs" not in path.read_bytes()
    found = read_pickle(path)
    check(found)
    assert found["word"] == "caf\xe9"


class Reduced:
    """Pickles as a call of whatever it is given."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call[0], self.call[1:]


class Own:
    """An object of a class, with a state."""

    def __init__(self):
        self.value = 1


@pytest.mark.parametrize(
    ("evil", "name"),
    [
        (Reduced(os.system, "touch ran"), r"(posix|nt)\.system"),
        (Reduced(eval, "open('ran', 'w')"), r"builtins\.eval"),
        (Reduced(__import__, "os"), r"builtins\.__import__"),
        (Reduced(getattr, "x", "upper"), r"builtins\.getattr"),
        (Reduced(functools.partial, print), r"functools\.partial"),
        (Reduced(np.load, "ran.npy"), r"numpy\.load"),
        (Reduced(np.memmap, "ran"), r"numpy\.memmap"),
        ([PLAIN["array"], Own()], r"(test_io_pickles\.Own|copy_reg\._reconstructor)"),
    ],
    ids=lambda value: None if isinstance(value, str) else "evil",
)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_asks_for_anything_else_is_refused_by_name_and_runs_nothing(
    tmp_path, monkeypatch, evil, name, protocol
):
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path, pickle.dumps({"u": PLAIN["array"], "x": evil}, protocol=protocol))
    with pytest.raises(
        FacemillError, match=name if protocol > 2 else name.replace("builtins", r"\w+")
    ) as error:
        read_pickle(path)
    assert "refused" in str(error.value) and "\n" not in str(error.value)
    assert [p.name for p in tmp_path.iterdir()] == ["file.pkl"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"cnumpy\nndarray.__class__\n.", r"refused.*numpy\.ndarray\.__class__"),
        (b"\x80\x04\x8c\x05numpy\x8c\x0bcore.os.abc\x93.", r"refused.*numpy\.core\.os\.abc"),
        (b"\x80\x02cbuiltins\nexec\n(X\x04\x00\x00\x00x=1\nt\x81.", r"refused.*builtins\.exec"),
        (b"(S'true'\nios\nsystem\n.", r"refused.*os\.system"),
        (b"\x80\x02ccopyreg\n_reconstructor\n.", r"refused.*copyreg\._reconstructor"),
        (b"Pa name\n.", "expected a whole pickle"),
        (b"\x80\x02\x82\x01.", "expected a whole pickle"),
        (b"\x80\x02cnumpy.core.numeric\n_frombuffer\n}X\x01\x00\x00\x00aK\x01sb.", "expected a whole pickle"),
        (
            b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R.",
            "encoding 'rot13' instead of latin1",
        ),
        (
            b"\x80\x02cnumpy\ndtype\n}X\x01\x00\x00\x00aK\x01sb.",
            "expected a whole pickle",
        ),
        (b"", "expected a whole pickle"),
        (b"no pickle at all", "expected a whole pickle"),
        (b"\x89PNG\r\n\x1a\n", "expected a whole pickle"),
    ],
)
def test_pickles_made_by_hand_are_one_clear_line(tmp_path, data, message):
    with pytest.raises(FacemillError, match=message):
        read_pickle(write(tmp_path, data))


def test_a_pickle_cut_anywhere_is_one_clear_line(tmp_path):
    whole = pickle.dumps({"u": np.arange(40.0), "v": np.float64(1)}, protocol=2)
    for end in range(len(whole)):
        with pytest.raises(FacemillError, match=r"file\.pkl"):
            read_pickle(write(tmp_path, whole[:end]))


def test_a_dict_is_asked_for_by_its_keys(tmp_path):
    with pytest.raises(FacemillError, match="expected a dict of arrays, found list"):
        read_pickled_dict(write(tmp_path, pickle.dumps([1])))
    with pytest.raises(FacemillError, match=r"keys u, tri; missing: tri; found u"):
        read_pickled_dict(write(tmp_path, pickle.dumps({"u": 1})), ("u", "tri"))
    with pytest.raises(FacemillError, match="no file"):
        read_pickle(tmp_path / "nowhere.pkl")


MEAN, STD = np.arange(62.0), np.arange(62.0) + 1


@pytest.mark.parametrize("names", [("mean", "std"), ("param_mean", "param_std")])
def test_whitening_comes_from_an_archive_and_from_pickles_alike(tmp_path, names):
    content = dict(zip(names, (MEAN.astype(np.float32), STD.astype(np.float32)), strict=True))
    np.savez(tmp_path / "a.npz", **content, more=1)
    (tmp_path / "b.pkl").write_bytes(pickle.dumps(content))
    dump2(tmp_path / "c.pkl", content)
    for name in ("a.npz", "b.pkl", "c.pkl"):
        found = load_whitening(tmp_path / name)
        np.testing.assert_array_equal(found.mean, MEAN)
        np.testing.assert_array_equal(found.std, STD)
        np.testing.assert_allclose(found.raw(found.whiten(MEAN + 2 * STD)), MEAN + 2 * STD)


def test_a_face_models_own_whitening_is_in_its_archive_or_beside_its_files(tmp_path):
    both = {"mean": MEAN, "std": STD}
    np.savez(tmp_path / "face.npz", **both, u=1)
    np.testing.assert_array_equal(own_whitening(tmp_path / "face.npz").mean, MEAN)
    with pytest.raises(FacemillError, match=r"in \.\./configs, found neither; .*data fetch tddfa_statistics"):
        own_whitening(tmp_path)
    (tmp_path / "param_whitening.pkl").write_bytes(pickle.dumps(both))
    np.testing.assert_array_equal(own_whitening(tmp_path).mean, MEAN)
    newer = {"mean": MEAN + 1, "std": STD}
    (tmp_path / "param_mean_std_62d_120x120.pkl").write_bytes(pickle.dumps(newer))
    np.testing.assert_array_equal(own_whitening(tmp_path / "bfm.pkl").mean, MEAN + 1)
    np.savez(tmp_path / "face.npz", u=1)
    with pytest.raises(FacemillError, match=r"expected mean and std .*found u; .*set labelling\.statistics="):
        own_whitening(tmp_path / "face.npz")


def test_whitening_that_is_none_says_what_it_has(tmp_path):
    np.savez(tmp_path / "a.npz", mean=MEAN)
    with pytest.raises(FacemillError, match="expected mean and std or param_mean and param_std, found mean"):
        load_whitening(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", mean=MEAN[:60], std=STD)
    with pytest.raises(FacemillError, match="expected 62 finite numbers in mean, found 60"):
        load_whitening(tmp_path / "a.npz")
    with pytest.raises(FacemillError, match="62 numbers in std"):
        load_whitening(write(tmp_path, pickle.dumps({"mean": MEAN, "std": "wide"})))
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(FacemillError, match=r"text\.npz: expected a \.npz archive"):
        load_whitening(tmp_path / "text.npz")
    with pytest.raises(FacemillError, match=r"refused.*system"):
        load_whitening(write(tmp_path, pickle.dumps({"mean": Reduced(os.system, "true")})))
