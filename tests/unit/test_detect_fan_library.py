"""Our FAN with `decode: library` against the installed library itself, to the bit: crops, decode, landmarks, depth.

The library's weights cannot be had offline. It looks for them by name in torch's cache and checks no hash there, so
that networks of random weights stand under the published names; ours refuses them by that hash and is given paths.
"""

import face_alignment
import face_alignment.utils as library
import numpy as np
import pytest
import torch
from face_alignment.models import FAN, ResNetDepth

from pipeline.detect import fan, heatmaps
from pipeline.detect.depth import DepthFinder
from pipeline.detect.loading import load_depth, load_fan
from pipeline.io.published import FILES
from pipeline.records import FacemillError

KINDS = {
    "2d": face_alignment.LandmarksType.TWO_D,
    "2.5d": face_alignment.LandmarksType.TWO_HALF_D,
    "3d": face_alignment.LandmarksType.THREE_D,
}


def boxes(count, seed=0):
    """Boxes of any size, and every second one of whole pixels, whose landmarks fall on whole pixels now and then."""
    rng = np.random.default_rng(seed)
    corner = rng.uniform(-30, 200, (count, 2))
    found = np.concatenate([corner, corner + rng.uniform(40, 260, (count, 2))], axis=1)
    found[::2] = np.round(found[::2])
    found[::4, 2:] = found[::4, :2] + rng.choice([95, 100, 150, 165, 195, 225], (len(found[::4]), 2))
    return found


@pytest.mark.parametrize("side", [256, 128])
@pytest.mark.parametrize("reference", [195, 165])
def test_crops_are_the_librarys(side, reference):
    picture = np.random.default_rng(1).integers(0, 256, (310, 290, 3), np.uint8)
    for box in boxes(40):
        centre, scale = fan.library_square(box, reference)
        expected = library.crop(picture, centre, scale, float(side))
        np.testing.assert_array_equal(fan.library_crop(picture, centre, scale, side), expected)


def test_decode_is_the_librarys():
    rng = np.random.default_rng(2)
    for k, box in enumerate(boxes(400, seed=3)):
        maps = rng.random((1, 68, 64, 64)).astype(np.float32)
        maps[0, 0] = 0
        maps[0, 0, 0, 13] = 2  # a peak on the border is not moved
        square = fan.library_square(box, (195, 165)[k // 2 % 2])
        expected_cells, expected, expected_peaks = library.get_preds_fromhm(maps.copy(), *square)
        cells, peaks = fan.library_cells(maps)
        np.testing.assert_array_equal(cells, expected_cells)
        np.testing.assert_array_equal(peaks, expected_peaks)
        np.testing.assert_array_equal(fan.library_points(cells, [square], 64), expected, err_msg=str(box))


def test_mirroring_is_the_librarys_permutation():
    maps = torch.rand(2, 68, 8, 8)
    np.testing.assert_array_equal(heatmaps.mirrored(maps.numpy()), library.flip(maps, is_label=True).numpy())


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A torch cache with networks of random weights, their statistics those of noise, under the published names."""
    home = tmp_path_factory.mktemp("torch")
    folder = home / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.manual_seed(0)
    network, deep = FAN(4), ResNetDepth()
    with torch.no_grad():
        network(torch.rand(2, 3, 64, 64))
        deep(torch.rand(2, 71, 224, 224))
    state = network.state_dict()
    torch.save(state, folder / FILES["2dfan"].name)
    state = {k: v.flip(0) if k.startswith("l3.") else v for k, v in state.items()}
    torch.save(state, folder / FILES["3dfan"].name)
    parallel = {f"module.{k}": v for k, v in deep.state_dict().items()}
    torch.save({"state_dict": parallel, "epoch": 40}, folder / FILES["depth"].name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_HOME", str(home))
        yield folder
    for path in folder.iterdir():
        path.unlink()


@pytest.fixture(scope="module")
def picture():
    """Blurred noise (300, 320, 3), and two boxes of faces on it, one beyond its border."""
    rng = np.random.default_rng(4)
    noise = rng.integers(0, 256, (300, 320, 3)).astype(np.uint8)
    return noise, [np.array([60.0, 50.0, 220.0, 230.0]), np.array([200.3, -20.7, 330.0, 101.9])]


@pytest.mark.parametrize(("kind", "flip"), [("2d", False), ("2.5d", False), ("3d", True)])
def test_landmarks_scores_and_depth_are_the_librarys(cache, picture, kind, flip):
    image, found = picture
    theirs = face_alignment.FaceAlignment(
        KINDS[kind],
        device="cpu",
        flip_input=flip,
        compile=False,
        face_detector="folder",
    )
    landmarks, scores, _ = theirs.get_landmarks_from_image(image, found, return_landmark_score=True)
    name = "2dfan" if kind == "2d" else "3dfan"
    depth = DepthFinder(load_depth(str(cache / FILES["depth"].name))) if kind == "3d" else None
    network = load_fan(str(cache / FILES[name].name))
    ours = fan.LandmarkFinder(network, "library", flip, batch=2, depth=depth).find([image] * 2, found)
    expected = np.stack(landmarks)
    assert np.ptp(expected[..., :2], axis=1).min() > 50, "the stand-in draws all landmarks in one place"
    np.testing.assert_array_equal(ours[0], expected[..., :2])
    np.testing.assert_allclose(ours[1], np.stack(scores), rtol=1e-4, atol=1e-5)
    if kind == "3d":
        assert expected[..., 2].std() > 1e-3
        np.testing.assert_allclose(ours[2], expected[..., 2], rtol=1e-3, atol=1e-4 * np.ptp(expected[..., 2]))
    else:
        assert np.isnan(ours[2]).all()


def test_by_name_ours_takes_no_other_file_than_the_published_one(cache):
    for call in (lambda: load_fan("library", "2d"), lambda: load_fan("library"), lambda: load_depth()):
        with pytest.raises(FacemillError, match="with a sha256 that begins"):
            call()
