"""Pictures inside zips by their address: the right bytes, or words that say why not."""

import hashlib
import zipfile

import cv2
import numpy as np
import pytest
from photo_files import damage_member, encrypt_flags, heic, make_zip, photo, photo_bytes
from PIL import Image

from pipeline.io import containers
from pipeline.io.containers import DamagedArchive, UnreadablePicture, encoded, locate, picture_digest
from pipeline.io.images import read_picture


@pytest.fixture
def album(tmp_path):
    """A zip with pictures in folders, some of them with odd names."""
    members = {
        "a.png": photo_bytes(1),
        "2019/sommer ferien/b.png": photo_bytes(2),
        "x;y  z.png": photo_bytes(3),
        "turned.jpg": photo_bytes(4, ".jpg", turned=True),
        "notes.txt": b"words",
        "__MACOSX/._a.png": b"\0\5\x16\7 a resource fork",
    }
    return make_zip(tmp_path / "album.zip", members)


@pytest.mark.parametrize("address", ["album.zip!a.png", "album.zip/!a.png"])
def test_a_member_is_read_with_and_without_a_slash(album, address):
    np.testing.assert_array_equal(read_picture(album.parent / address), photo(1))


def test_a_root_that_is_the_zip_is_joined_like_any_other(album):
    np.testing.assert_array_equal(read_picture(album / "!2019/sommer ferien/b.png"), photo(2))


def test_a_photo_turned_by_exif_inside_a_zip_is_read_upright(album):
    assert np.abs(read_picture(album / "!turned.jpg").astype(int) - photo(4)).mean() < 3


def test_every_member_but_resource_forks_is_named_as_tables_can_hold_it(album):
    names = containers.member_names(album)
    assert names == ["2019/sommer ferien/b.png", "a.png", "notes.txt", "turned.jpg", "x%3By %20z.png"]
    np.testing.assert_array_equal(read_picture(album / "!x%3By %20z.png"), photo(3))


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("a b/c.jpg", "a b/c.jpg"),
        ("a;b.jpg", "a%3Bb.jpg"),
        ("a\tb\nc.jpg", "a%09b%0Ac.jpg"),
        ("a   b.jpg", "a %20%20b.jpg"),
        (" a.jpg", "%20a.jpg"),
        ("Screenshot 10.11\u202fAM.png", "Screenshot 10.11%E2%80%AFAM.png"),
        ("caf\udce9.jpg", "caf%E9.jpg"),
        ("100%.jpg", "100%.jpg"),
        ("größe 漢字.jpg", "größe 漢字.jpg"),
    ],
)
def test_names_that_tables_cannot_hold(tmp_path, name, held):
    assert encoded(name) == held
    assert " ".join(held.split()) == held and ";" not in held
    held.encode("utf-8")
    path = tmp_path / "sub" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    assert locate(tmp_path / "sub" / held).file == path


def test_a_name_that_looks_encoded_is_meant_as_it_stands(tmp_path):
    (tmp_path / "a%3Bb.png").write_bytes(photo_bytes(1))
    np.testing.assert_array_equal(read_picture(tmp_path / "a%3Bb.png"), photo(1))


def test_a_file_with_a_mark_in_its_name_is_a_file(tmp_path):
    (tmp_path / "b.zip!a.png").write_bytes(photo_bytes(5))
    make_zip(tmp_path / "b.zip", {"a.png": photo_bytes(6)})
    np.testing.assert_array_equal(read_picture(tmp_path / "b.zip!a.png"), photo(5))


def words(path):
    with pytest.raises(UnreadablePicture) as caught:
        read_picture(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ") and "\n" not in text
    return text.removeprefix(f"{path}: ")


def test_damaged_encrypted_missing_and_unsafe_members_have_their_words(tmp_path):
    path = make_zip(tmp_path / "a.zip", {"a.png": photo_bytes(1), "b.png": photo_bytes(2)})
    damage_member(path, "a.png")
    assert "damaged in the zip" in words(path / "!a.png")
    np.testing.assert_array_equal(read_picture(path / "!b.png"), photo(2))
    assert "no such member" in words(path / "!c.png")
    unsafe = ["/etc/a.png", "../up.png", "in/../../up.png", "C:\\a.png"]
    path = make_zip(tmp_path / "unsafe.zip", dict.fromkeys(unsafe, photo_bytes(1)))
    for name in containers.member_names(path):
        assert "leads out of" in words(f"{path}!{name}"), name
    assert len(containers.member_names(path)) == len(unsafe)
    assert not (tmp_path / "up.png").exists()
    path = make_zip(tmp_path / "locked.zip", {"a.png": photo_bytes(1)})
    encrypt_flags(path)
    assert "encrypted" in words(path / "!a.png")


def test_a_member_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    path = make_zip(tmp_path / "bomb.zip", {"a.png": bytes(1 << 20)})
    monkeypatch.setattr(containers, "LARGEST_MEMBER", 1 << 19)
    assert words(path / "!a.png") == "unpacks to 1048576 bytes, which is no picture"


def test_a_compression_that_python_lacks_is_words(tmp_path):
    path = make_zip(tmp_path / "a.zip", {"a.png": photo_bytes(1)})
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        data[data.find(mark) + offset] = 99
    path.write_bytes(data)
    assert "damaged in the zip" in words(path / "!a.png")


@pytest.mark.parametrize("data", [b"", b"no zip at all", b"PK\x05\x06"])
def test_a_zip_that_cannot_be_opened_is_words(tmp_path, data):
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(DamagedArchive, match="no zip that can be opened"):
        containers.member_names(tmp_path / "a.zip")
    assert "no zip that can be opened" in words(tmp_path / "a.zip")
    assert "no zip that can be opened" in words(tmp_path / "a.zip!a.png")


def test_half_a_zip_is_words(album):
    album.write_bytes(album.read_bytes()[:-200])
    assert "no zip that can be opened" in words(album / "!a.png")


def test_what_is_no_picture_says_so(album, tmp_path):
    assert words(album) == "a zip, not a picture"
    assert words(album / "!notes.txt").startswith("damaged, or no picture format")
    assert words(tmp_path / "gone.zip!a.png") == "No such file or directory"
    (tmp_path / "a.heic").write_bytes(heic())
    assert "HEIC" in words(tmp_path / "a.heic") and "convert it" in words(tmp_path / "a.heic")


def test_of_two_members_with_one_name_the_last_is_meant(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a.png", photo_bytes(1))
        archive.writestr("a.png", photo_bytes(2))
    assert containers.member_names(tmp_path / "a.zip") == ["a.png"]
    np.testing.assert_array_equal(read_picture(tmp_path / "a.zip!a.png"), photo(2))


def test_a_zip_that_was_packed_anew_is_read_anew(tmp_path):
    path = make_zip(tmp_path / "a.zip", {"a.png": photo_bytes(1)})
    read_picture(path / "!a.png")
    make_zip(path, {"a.png": photo_bytes(2), "b.png": photo_bytes(3)})
    np.testing.assert_array_equal(read_picture(path / "!a.png"), photo(2))


@pytest.mark.parametrize("suffix", [".png", ".webp", ".bmp", ".tif"])
def test_formats_of_a_photo_folder(tmp_path, suffix):
    data = photo_bytes(7, suffix)
    (tmp_path / f"a{suffix}").write_bytes(data)
    np.testing.assert_array_equal(read_picture(tmp_path / f"a{suffix}"), photo(7))
    (tmp_path / f"half{suffix}").write_bytes(data[: len(data) // 2])
    assert words(tmp_path / f"half{suffix}")


@pytest.mark.parametrize(("suffix", "off"), [(".jfif", 4), (".gif", 10), (".jp2", 0), (".avif", 4)])
def test_rarer_formats_of_a_photo_folder(tmp_path, suffix, off):
    data = photo_bytes(7, suffix)
    (tmp_path / f"a{suffix}").write_bytes(data)
    assert np.abs(read_picture(tmp_path / f"a{suffix}").astype(int) - photo(7)).mean() <= off
    (tmp_path / f"half{suffix}").write_bytes(data[: len(data) // 2])
    assert words(tmp_path / f"half{suffix}")


@pytest.mark.parametrize("suffix", [".gif", ".jp2", ".avif"])
def test_an_opencv_without_a_format_says_which_are_read(tmp_path, monkeypatch, suffix):
    (tmp_path / f"a{suffix}").write_bytes(photo_bytes(7, suffix))
    monkeypatch.setattr(cv2, "imdecode", lambda *_: None)
    assert words(tmp_path / f"a{suffix}") == (
        "damaged, or no picture format that OpenCV reads (JPEG, PNG, WebP, BMP, TIFF, and where it was built with them "
        "GIF, JPEG 2000, AVIF); convert it to JPEG or PNG"
    )


def test_of_an_animation_the_first_frame_is_the_picture(tmp_path):
    first, second = (Image.fromarray(photo(seed)) for seed in (7, 8))
    first.save(tmp_path / "a.gif", save_all=True, append_images=[second])
    assert np.abs(read_picture(tmp_path / "a.gif").astype(int) - photo(7)).mean() <= 10


def test_a_picture_of_24_megapixels_is_read_whole(tmp_path):
    large = np.zeros((4000, 6000, 3), np.uint8)
    large[::7, ::5] = (250, 120, 30)
    Image.fromarray(large).save(tmp_path / "large.png", compress_level=1)
    np.testing.assert_array_equal(read_picture(tmp_path / "large.png"), large)


def test_digests_are_of_the_pictures_own_bytes(album, tmp_path):
    (tmp_path / "a.png").write_bytes(photo_bytes(1))
    expected = hashlib.sha256(photo_bytes(1)).hexdigest()
    assert picture_digest(tmp_path / "a.png") == picture_digest(album / "!a.png") == expected
    (tmp_path / "empty.png").write_bytes(b"")
    for name in ("empty.png", "gone.png", "album.zip!gone.png"):
        assert picture_digest(tmp_path / name) == ""
