"""Fetching: a file is there whole and checked, or not at all and one line says why."""

import fcntl
import hashlib
import os

import pytest
from file_server import refused_address, serving

from pipeline.io import fetch, published, sources
from pipeline.io.files import sha256_of
from pipeline.io.sources import Source
from pipeline.records import FacemillError

DATA = bytes(range(256)) * 4096
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """The user's data folder, and no proxy before this machine's own server."""
    monkeypatch.setenv("FACEMILL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path


def row(address, **changed):
    """A source of one file."""
    values = dict.fromkeys(Source.__dataclass_fields__, "")
    return Source(
        **{**values, "id": "thing", "file": "${FACEMILL_DATA}/w/thing.bin", "address": address, **changed}
    )


def left(tmp_path):
    """Every file below the data folder."""
    return sorted(path.name for path in (tmp_path / "data").rglob("*") if path.is_file())


def refusal(source):
    with pytest.raises(FacemillError) as caught:
        fetch.fetch(source)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_known_file_is_fetched_once_and_left_alone_afterwards(here):
    with serving({"/f": DATA}) as server:
        source = row(f"{server.address}/f", sha256=SHA, size=str(len(DATA)))
        for _ in range(2):
            assert fetch.fetch(source) == here / "data/w/thing.bin"
        assert server.asked == [("/f", 0)]
    assert sha256_of(here / "data/w/thing.bin") == SHA
    assert left(here) == ["thing.bin"]


def test_a_hash_that_nobody_knew_is_written_down_and_holds_from_then_on(here):
    with serving({"/f": DATA, "/g": DATA}) as server:
        source = row(f"{server.address}/f")
        path = fetch.fetch(source)
        fetch.fetch(row(f"{server.address}/g", file="${FACEMILL_DATA}/w/other.bin"))
        assert left(here) == ["other.bin", "sources.lock.tsv", "thing.bin"]
        assert (sources.locked(path), sources.problem(source, path)) == (SHA, "")
        path.unlink()
        server.files["/f"] = DATA + b"another version"
        assert f"expected the sha256 {SHA[:16]}... of the first fetch" in refusal(source)
        assert not path.exists()
        path.write_bytes(b"changed by somebody")
        assert "is another file: expected the sha256" in refusal(source)
        assert path.read_bytes() == b"changed by somebody"


def test_the_digits_of_a_name_are_compared(here):
    name = f"net-{SHA[:10]}.pth"
    with serving({"/f": DATA}) as server:
        good = row(f"{server.address}/f", file=f"${{TORCH_CACHE}}/{name}")
        assert fetch.fetch(good) == here / "torch/hub/checkpoints" / name
        wrong = row(f"{server.address}/f", file="${TORCH_CACHE}/net-0123456789.pth")
        text = refusal(wrong)
    assert f"expected a sha256 that begins 0123456789, found {SHA[:16]}; nothing was kept" in text
    assert "python -m pipeline data fetch thing" in text
    assert not list((here / "torch").rglob("*0123456789*"))


@pytest.mark.parametrize(
    ("changed", "words"),
    [({"sha256": "0" * 64}, "expected a sha256"), ({"size": "7"}, "expected 7 bytes, found")],
)
def test_another_file_than_expected_is_not_kept(here, changed, words):
    with serving({"/f": DATA}) as server:
        assert words in refusal(row(f"{server.address}/f", **changed))
    assert left(here) == []


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_broke_off_goes_on_or_begins_again(here, ranges):
    with serving({"/f": DATA}, cut=300_000, ranges=ranges) as server:
        source = row(f"{server.address}/f", sha256=SHA)
        text = refusal(source)
        assert "the connection broke off; what has arrived is kept" in text
        assert left(here) == [".thing.bin.download"]
        server.cut = None
        assert sha256_of(fetch.fetch(source)) == SHA
        assert server.asked == [("/f", 0), ("/f", 300_000 if ranges else 0)]
    assert left(here) == ["thing.bin"]


def test_a_file_of_unknown_hash_is_never_joined_from_two_downloads(here):
    with serving({"/f": DATA}, cut=300_000) as server:
        source = row(f"{server.address}/f")
        refusal(source)
        server.cut = None
        fetch.fetch(source)
        assert server.asked == [("/f", 0), ("/f", 0)]


def test_what_was_whole_before_it_got_its_name_is_fetched_anew(here):
    (here / "data/w").mkdir(parents=True)
    (here / "data/w/.thing.bin.download").write_bytes(DATA)
    with serving({"/f": DATA}) as server:
        assert sha256_of(fetch.fetch(row(f"{server.address}/f", sha256=SHA))) == SHA
    assert left(here) == ["thing.bin"]


@pytest.mark.parametrize("kind", ["not found", "refused", "a web page"])
def test_what_keeps_a_file_away_is_one_line_with_file_folder_and_command(here, kind):
    with serving({"/page": DATA}, kind="text/html; charset=utf-8") as server:
        address, words = {
            "not found": (f"{server.address}/gone", "the server says 404 Not Found"),
            "refused": (refused_address(), "Connection refused"),
            "a web page": (f"{server.address}/page", "the server sent a web page"),
        }[kind]
        text = refusal(row(address))
    assert words in text
    assert text.startswith(f"cannot fetch thing.bin from {address} (")
    assert (
        f"put the file into {here}/data/w, or with a network type: python -m pipeline data fetch thing"
        in text
    )
    assert left(here) == []


def test_two_fetches_of_one_file_at_a_time_are_refused(here):
    (here / "data/w").mkdir(parents=True)
    with open(here / "data/w/.thing.bin.download", "ab") as file, serving({"/f": DATA}) as server:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert "is being fetched by another process" in refusal(row(f"{server.address}/f"))
        assert server.asked == []


def test_what_a_person_has_to_get_says_how(here):
    source = row(
        "http://example.org", file="", steps="register at {address} and unpack it in ${FACEMILL_DATA}"
    )
    assert "register at http://example.org and unpack it in ${FACEMILL_DATA}" in refusal(source)


def test_a_folder_that_cannot_be_written_is_one_line(here):
    (here / "data").write_text("a file where a folder should be")
    assert "cannot fetch thing.bin" in refusal(row("http://127.0.0.1:9/f"))


def test_without_the_users_folder_the_variable_is_named(here, monkeypatch):
    monkeypatch.delenv("FACEMILL_DATA")
    assert "export FACEMILL_DATA=" in refusal(row("http://127.0.0.1:9/f"))


@pytest.mark.parametrize("torch_home", [None, "", "~", "~/t", "~root/t", "/a/torch", "a"])
@pytest.mark.parametrize("xdg", [None, "", "~/x", "/b/cache"])
@pytest.mark.parametrize("home", [None, "/c/person"])
def test_torchs_cache_is_found_where_torch_finds_it(monkeypatch, torch_home, xdg, home):
    import torch

    for name, value in (("TORCH_HOME", torch_home), ("XDG_CACHE_HOME", xdg), ("HOME", home)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    expected = os.path.join(torch.hub.get_dir(), "checkpoints")
    assert os.path.expandvars(sources.torch_cache()) == expected
    assert str(sources.placed("${TORCH_CACHE}/f")) == f"{expected}/f"
    assert os.path.expandvars(published.FILES["sfd"].cached) == f"{expected}/s3fd-619a316812.pth"


def test_the_path_in_torchs_cache_names_no_machine(monkeypatch):
    monkeypatch.setenv("HOME", "/c/person")
    for name, value, text in (
        ("XDG_CACHE_HOME", None, "${HOME}/.cache/torch/hub/checkpoints"),
        ("XDG_CACHE_HOME", "/b/cache", "${XDG_CACHE_HOME}/torch/hub/checkpoints"),
        ("TORCH_HOME", "~/t", "${HOME}/t/hub/checkpoints"),
        ("TORCH_HOME", "/a/torch", "${TORCH_HOME}/hub/checkpoints"),
    ):
        monkeypatch.delenv("TORCH_HOME", raising=False)
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
        assert sources.torch_cache() == text
