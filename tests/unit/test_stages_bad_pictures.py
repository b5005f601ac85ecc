"""Any file that a photo folder may hold: a right crop, or a ledger row that says why not. Never a traceback."""

import h5py
import numpy as np
import pytest
from PIL import Image
from stage_world import Chain

from pipeline.io import hdf5
from pipeline.io.tables import read_status, write_tsv
from pipeline.records import SOURCE_COLUMNS, Reason
from pipeline.stages import crop, detect

SIDE = 64


def picture():
    """A smooth RGB picture, different in every corner."""
    y, x = np.mgrid[:SIDE, :SIDE] * 3
    return np.stack([x + 20, y + 10, 230 - x], axis=-1).astype(np.uint8)


def save_as(path, kind):
    """Write the picture as one kind of file."""
    rgb = picture()
    image = Image.fromarray(rgb)
    if kind == "cmyk.jpg":
        image.convert("CMYK").save(path, quality=98)
    elif kind == "grey.png":
        image.convert("L").save(path)
    elif kind == "rgba.png":
        Image.fromarray(np.dstack([rgb, np.full((SIDE, SIDE), 90, np.uint8)])).save(path)
    elif kind == "deep.png":
        import cv2

        cv2.imwrite(str(path), rgb[:, :, ::-1].astype(np.uint16) * 257)
    elif kind == "turned.jpg":
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.fromarray(np.rot90(rgb).copy()).save(path, quality=98, exif=exif)
    elif kind == "tiny.png":
        Image.fromarray(rgb[:1, :1]).save(path)
    elif kind == "empty.jpg":
        path.write_bytes(b"")
    elif kind == "text.jpg":
        path.write_text("this is no picture")
    else:
        image.save(path, quality=98)
        if kind.startswith("half"):
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.fixture
def chain(tmp_path):
    """detect with `whole`, then crop, of one file."""

    def run(kind):
        (tmp_path / "data").mkdir()
        save_as(tmp_path / "data" / kind, kind)
        chain = Chain(tmp_path)
        row = ("P", kind, "test", "P", "", "0" * 64, "", "")
        write_tsv(chain.path("source.tsv"), SOURCE_COLUMNS, [row])
        found = {"detections": "0.h5", "status": "0.tsv"}
        settings = {"root": chain.path("data"), "shards": 1, "detection": {"detector": "whole"}}
        chain.run(detect, {"source": chain.path("source.tsv")}, found, settings)
        inputs = {"source": chain.path("source.tsv"), "detections": chain.path("0.h5")}
        settings = {"root": chain.path("data"), "shards": 1, "whole": True, "crop": {}}
        chain.run(crop, inputs, {"crops": "crops.h5", "status": "crop.tsv"}, settings)
        with h5py.File(chain.path("crops.h5")) as file:
            images = file["image"][:]
        return read_status(chain.path("0.tsv")), read_status(chain.path("crop.tsv")), images

    return run


@pytest.mark.parametrize("kind", ["half.jpg", "half.png", "empty.jpg", "text.jpg"])
def test_a_file_without_a_whole_picture_is_a_row_with_the_reason(chain, kind):
    detected, cropped, images = chain(kind)
    assert [row.reason for row in detected] == [Reason.UNREADABLE]
    assert kind in detected[0].detail
    assert cropped == []
    assert len(images) == 0


@pytest.mark.parametrize("kind", ["plain.jpg", "rgba.png", "deep.png", "cmyk.jpg", "turned.jpg"])
def test_odd_pictures_are_cropped_upright_and_in_their_colours(chain, kind):
    detected, cropped, images = chain(kind)
    assert [row.reason for row in detected + cropped] == [None, None]
    assert np.abs(images[0][1::3, 1::3].astype(int) - picture()).mean() < 3


def test_a_grey_picture_has_three_equal_channels(chain):
    _, _, images = chain("grey.png")
    assert (images[0] == images[0][:, :, :1]).all()
    assert images[0].std() > 10


def test_a_picture_of_one_pixel_is_a_flat_crop(chain):
    _, cropped, images = chain("tiny.png")
    assert cropped[0].reason is None
    assert (images[0] == picture()[0, 0]).all()


def test_a_picture_that_vanishes_between_two_stages_is_a_row(chain, tmp_path):
    chain("plain.jpg")
    (tmp_path / "data/plain.jpg").unlink()
    again = Chain(tmp_path)
    inputs = {"source": again.path("source.tsv"), "detections": again.path("0.h5")}
    settings = {"root": again.path("data"), "shards": 1, "whole": True, "crop": {}}
    again.run(crop, inputs, {"crops": "crops.h5", "status": "crop.tsv"}, settings)
    (row,) = read_status(again.path("crop.tsv"))
    assert (row.reason, row.face) == (Reason.UNREADABLE, "P#0")


def test_a_truncated_detections_file_is_one_clear_line(chain, tmp_path):
    chain("plain.jpg")
    data = (tmp_path / "0.h5").read_bytes()
    (tmp_path / "0.h5").write_bytes(data[: len(data) // 2])
    with pytest.raises(hdf5.FacemillError, match="damaged or no HDF5 file"):
        crop.read_detections(str(tmp_path / "0.h5"))
