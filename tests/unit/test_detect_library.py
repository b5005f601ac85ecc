"""face-alignment's detectors under our names: files made here in the library's own formats, the library's own code."""

import importlib
import socket
import sys
import types

import numpy as np
import pytest
import torch

from pipeline.config import DetectionSettings
from pipeline.detect import library
from pipeline.detect.base import Sight
from pipeline.detect.boxed import BoxedDetector
from pipeline.io.published import BOXED, FILES, LIBRARY_DETECTORS
from pipeline.models.fan import FAN
from pipeline.records import FacemillError
from pipeline.registry import DETECTORS
from tests.unit.library_parts import LayerGetter, Session, save_blazeface, save_sfd
from tests.unit.tiny_onnx import save_scrfd, save_yunet

REFERENCES = {
    "sfd": 195,
    "blazeface": 195,
    "blazeface_back": 195,
    "dlib": 195,
    "yunet": 165,
    "scrfd": 165,
    "retinaface": 165,
}


@pytest.fixture(autouse=True)
def nothing_is_downloaded(tmp_path, monkeypatch):
    """An empty torch cache, and no network."""

    def refuse(*args, **kwargs):
        raise AssertionError("a detector asks for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))


def settings(weights, detector="sfd", **changed):
    values = {"score": 0.5, "peak": 0.0, "device": "cpu", "landmarks": "2.5d"}
    return DetectionSettings(detector=detector, weights=str(weights), **{**values, **changed})


def picture(height=150, width=200, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def red_square(height=150, width=200):
    """A dark picture with one cell of stride 16 in red: columns 96 to 111, rows 64 to 79."""
    out = np.zeros((height, width, 3), np.uint8)
    out[64:80, 96:112, 0] = 255
    return out


def ours_and_theirs(detector, path, image, **keywords):
    """The boxes of both, best first: (n, 4) and (n,) from ours, (n, 5) from the library's own object."""
    overlap = 0.4 if detector in ("scrfd", "retinaface") else 0.3  # the library's own
    finder = DETECTORS[detector](settings(path, detector, overlap=overlap))
    found = finder.find_boxes([Sight(image)])[0]
    module = importlib.import_module(f"face_alignment.detection.{detector.removesuffix('_back')}")
    theirs = module.FaceDetector("cpu", path_to_detector=str(path), **keywords)
    expected = np.stack([np.asarray(row) for row in theirs.detect_from_image(image.copy())])
    assert finder.landmarks.reference == theirs.reference_scale == REFERENCES[detector]
    return found, expected[np.argsort(-expected[:, 4], kind="stable")]


def same(found, expected):
    boxes, scores = found
    assert len(boxes) >= 1 and (np.diff(scores) <= 0).all()
    np.testing.assert_array_equal(boxes, expected[:, :4])
    np.testing.assert_array_equal(scores, expected[:, 4])


def test_sfd(tmp_path):
    save_sfd(tmp_path / "s.pth")
    same(*ours_and_theirs("sfd", tmp_path / "s.pth", picture(96, 128)))


@pytest.mark.parametrize("back", [False, True])
def test_blazeface(tmp_path, back):
    path, name = tmp_path / "b.pth", "blazeface_back" if back else "blazeface"
    save_blazeface(path, back)
    anchors = str(path.with_name("anchorsback.npy" if back else "anchors.npy"))
    found, expected = ours_and_theirs(name, path, picture(), path_to_anchor=anchors, back_model=back)
    same(found, expected)
    odd = picture(103, 103)
    with pytest.raises(
        AssertionError
    ):  # the library shrinks 103 x 103 to one pixel less than its network takes
        library.build_finder(name, settings(path, name)).detect_from_image(odd)
    assert len(DETECTORS[name](settings(path, name)).find_boxes([Sight(odd)])[0][0]) >= 1


def test_blazeface_boxes_without_an_area_are_no_faces(tmp_path):
    """The library's own suppression would compare such a box with itself for ever."""
    save_blazeface(tmp_path / "b.pth", inverted=True)
    detector = DETECTORS["blazeface"](settings(tmp_path / "b.pth", "blazeface"))
    assert len(detector.find_boxes([Sight(picture())])[0][0]) == 0


def test_yunet_through_opencv(tmp_path):
    """OpenCV loads a file of twelve convolutions in YuNet's layout as it loads the published one."""
    save_yunet(tmp_path / "y.onnx")
    found, expected = ours_and_theirs("yunet", tmp_path / "y.onnx", red_square())
    same(found, expected)
    np.testing.assert_allclose(found[0], [[104 - 24, 72 - 32, 104 + 24, 72 + 32]], atol=1e-3)
    assert found[1][0] == pytest.approx(1, abs=1e-3)


def scrfd_of_a_red_square(path):
    image = red_square(320, 320)
    found, expected = ours_and_theirs("scrfd", path, image)
    same(found, expected)
    # 320 pixels fill 640: the cell of 16 lies at twice its place, and a box is given in cells from its corner
    assert 0.95 < found[1][0] < 1  # the edges are blurred by the doubling
    boxes = found[0] * 2 + np.array([16, 32, -48, -64])
    assert {tuple(np.rint(b).astype(int)) for b in boxes} <= {
        (x, y, x, y) for x in (192, 208) for y in (128, 144)
    }


def test_scrfd_by_a_stand_in_for_onnx_runtime(tmp_path, monkeypatch):
    stand_in = types.ModuleType("onnxruntime")
    stand_in.InferenceSession, stand_in.SessionOptions = Session, types.SimpleNamespace
    monkeypatch.setitem(sys.modules, "onnxruntime", stand_in)
    save_scrfd(tmp_path / "s.onnx")
    scrfd_of_a_red_square(tmp_path / "s.onnx")
    session = library.build_finder("scrfd", settings(tmp_path / "s.onnx", "scrfd")).session
    assert session.options.intra_op_num_threads == session.options.inter_op_num_threads == 1


def test_scrfd_by_onnx_runtime(tmp_path):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    save_scrfd(tmp_path / "s.onnx")
    scrfd_of_a_red_square(tmp_path / "s.onnx")


def test_retinaface_by_a_stand_in_for_torchvision(tmp_path, monkeypatch):
    """All the library takes of torchvision is one small class."""
    for name in [name for name in sys.modules if name.startswith("face_alignment.detection.retinaface")]:
        monkeypatch.delitem(sys.modules, name)
    utils = types.ModuleType("torchvision.models._utils")
    utils.IntermediateLayerGetter = LayerGetter
    models = types.ModuleType("torchvision.models")
    models._utils = utils
    vision = types.ModuleType("torchvision")
    vision.models = models
    for module in (vision, models, utils):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    try:
        net = importlib.import_module("face_alignment.detection.retinaface.net_retinaface")
        torch.manual_seed(3)
        state = net.RetinaFace().state_dict()
        torch.save({f"module.{name}": value for name, value in state.items()}, tmp_path / "r.pth")
        same(*ours_and_theirs("retinaface", tmp_path / "r.pth", picture(64, 96)))
    finally:
        for name in [name for name in sys.modules if name.startswith("face_alignment.detection.retinaface")]:
            del sys.modules[name]


def test_dlib_by_a_stand_in(monkeypatch):
    """Its histograms need no weights and give no scores."""
    monkeypatch.delitem(sys.modules, "face_alignment.detection.dlib", raising=False)
    monkeypatch.delitem(sys.modules, "face_alignment.detection.dlib.dlib_detector", raising=False)
    stand_in = types.ModuleType("dlib")
    shown = []

    def detector():
        box = types.SimpleNamespace(left=lambda: 30, top=lambda: 40, right=lambda: 90, bottom=lambda: 110)
        return lambda grey: shown.append(grey.shape) or [box]

    stand_in.get_frontal_face_detector = detector
    monkeypatch.setitem(sys.modules, "dlib", stand_in)
    with pytest.warns(UserWarning, match="deprecated"):
        finder = DETECTORS["dlib"](settings("shipped", "dlib"))
    boxes, scores = finder.find_boxes([Sight(picture())])[0]
    np.testing.assert_array_equal(boxes, [[30, 40, 90, 110]])
    assert (
        scores.tolist() == [1.0]
        and shown == [library.ORDINARY.shape[:2], (150, 200)]
        and finder.landmarks.reference == 195
    )


@pytest.mark.parametrize("detector", ["scrfd", "retinaface", "dlib"])
def test_a_missing_package_is_one_line(tmp_path, monkeypatch, detector):
    package = library.PACKAGES[detector]
    monkeypatch.setitem(sys.modules, package, None)
    (tmp_path / "w").write_bytes(b"")
    with pytest.raises(FacemillError) as error:
        library.build_finder(detector, settings(tmp_path / "w", detector))
    message = str(error.value)
    assert f"detector {detector} needs the package {package}" in message
    assert message.endswith(f"Type: pip install {package}") and "\n" not in message


@pytest.mark.parametrize("detector", sorted(set(LIBRARY_DETECTORS) - {"dlib"}))
def test_missing_weights_are_one_line_with_file_folder_and_command(tmp_path, detector):
    with pytest.raises(FacemillError) as error:
        library.build_finder(detector, settings("library", detector))
    file = FILES[LIBRARY_DETECTORS[detector][0]]
    folder = tmp_path / "home" / "hub" / "checkpoints"
    assert f"expects {file.name} in {folder}; found none" in str(error.value)
    command = f"curl -L --create-dirs -o {folder / file.name} {file.url}"
    verb = f"python -m pipeline data fetch {LIBRARY_DETECTORS[detector][0]}"
    assert str(error.value).endswith(f"Type: {command} (or: {verb})")
    with pytest.raises(FacemillError, match=r"no weights file .*none\.pth"):
        library.build_finder(detector, settings(tmp_path / "none.pth", detector))


@pytest.mark.parametrize("detector", ["sfd", "blazeface", "yunet"])
def test_weights_of_something_else_are_one_line(tmp_path, detector):
    torch.save(FAN(1, 16).state_dict(), tmp_path / "w.onnx")
    np.save(tmp_path / "anchors.npy", np.zeros((896, 4), np.float32))
    with pytest.raises(
        FacemillError, match=rf"detector {detector}: face-alignment does not take .*w\.onnx"
    ) as error:
        library.build_finder(detector, settings(tmp_path / "w.onnx", detector))
    assert "\n" not in str(error.value)


def test_a_network_of_another_detector_that_loads_is_refused_before_the_first_picture(tmp_path):
    """OpenCV reads any network as YuNet's, and misses YuNet's outputs when it is shown a picture."""
    save_scrfd(tmp_path / "s.onnx")
    with pytest.raises(FacemillError, match=r"detector yunet: .* not take .*s\.onnx \(error: .*\)$") as error:
        DETECTORS["yunet"](settings(tmp_path / "s.onnx", "yunet"))
    assert "\n" not in str(error.value)


def test_a_published_name_with_another_hash_is_refused(tmp_path):
    folder = tmp_path / "home" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    save_sfd(folder / FILES["sfd"].name)
    with pytest.raises(FacemillError, match="sha256 that begins 619a316812; found"):
        library.build_finder("sfd", settings("library"))


def test_a_picture_that_the_library_cannot_work_on_has_no_face_and_says_why(tmp_path):
    save_sfd(tmp_path / "s.pth")
    detector = DETECTORS["sfd"](settings(tmp_path / "s.pth"))
    tiny, ordinary = detector.detect([Sight(picture(3, 3)), Sight(picture(96, 128))])
    assert tiny.startswith("sfd fails on a picture of 3 x 3: RuntimeError") and len(ordinary) >= 1


def test_a_picture_without_a_face_is_an_empty_list(tmp_path):
    save_yunet(tmp_path / "y.onnx")
    detector = DETECTORS["yunet"](settings(tmp_path / "y.onnx", "yunet"))
    assert detector.detect([Sight(np.zeros((150, 200, 3), np.uint8))]) == [[]]


def test_the_faces_do_not_depend_on_the_batch(tmp_path):
    save_yunet(tmp_path / "y.onnx")
    sights = [Sight(np.roll(red_square(), 16 * k, axis=1)) for k in range(-2, 3)]
    batches = []
    for batch in (1, 4):
        detector = DETECTORS["yunet"](settings(tmp_path / "y.onnx", "yunet", batch=batch))
        batches.append([face for faces in detector.detect(sights) for face in faces])
    assert len(batches[0]) == len(batches[1]) == 5
    for one, other in zip(*batches, strict=True):
        np.testing.assert_allclose(one.landmarks, other.landmarks, atol=1e-4)
        np.testing.assert_array_equal(one.box, other.box)


def test_every_detector_of_the_library_has_its_name():
    assert set(library.THRESHOLDS) == set(LIBRARY_DETECTORS) == set(REFERENCES)
    boxed = {name for name in DETECTORS if issubclass(DETECTORS[name], BoxedDetector)}
    assert boxed == set(BOXED)
    for name in LIBRARY_DETECTORS:
        assert DETECTORS[name].detector == name


def test_a_detector_that_works_on_nothing_any_more_is_no_fault_of_the_picture(tmp_path, monkeypatch):
    save_sfd(tmp_path / "s.pth")
    detector = DETECTORS["sfd"](settings(tmp_path / "s.pth"))

    def broken(image):
        raise RuntimeError("CUDA error: device-side assert")

    monkeypatch.setattr(detector.finder, "detect_from_image", broken)
    with pytest.raises(RuntimeError, match="CUDA error"):
        detector.detect([Sight(picture(96, 128))])
