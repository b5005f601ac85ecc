"""Device and precision of detection's networks: float32 on the CPU outside, whatever it is inside."""

import numpy as np
import pytest
import torch

from pipeline.config import DetectionSettings
from pipeline.detect import fan, placing
from pipeline.detect.faceboxes import FaceBoxesDetector
from pipeline.detect.loading import LoadedNetwork
from pipeline.models.faceboxes import FaceBoxes
from pipeline.models.fan import FAN
from pipeline.models.fan_depth import DepthNetwork
from pipeline.records import FacemillError

INPUTS = {
    "fan": (lambda: FAN(1, 32), (2, 3, 128, 128)),
    "faceboxes": (lambda: FaceBoxes(0.25), (2, 3, 128, 128)),
    "depth": (lambda: DepthNetwork((1, 1, 1, 1), 8), (2, 71, 256, 256)),
}


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize(("precision", "limit"), [("bf16", 0.3), ("fp16", 0.04)])
def test_half_precision_stays_inside(name, precision, limit):
    torch.manual_seed(0)
    build, shape = INPUTS[name]
    network, x = build().eval(), torch.rand(shape)
    with torch.inference_mode():
        network.train()(x)  # statistics of these inputs, so that random weights answer with something
        expected = network.eval()(x)
        found = placing.Placed(network, "cpu", placing.DTYPES[precision])(x)
    assert type(found) is type(expected)
    pairs = [(found, expected)] if isinstance(found, torch.Tensor) else zip(found, expected, strict=True)
    for one, other in pairs:
        assert one.dtype == torch.float32 and one.device.type == "cpu"
        error = (one - other).abs().max() / other.std()
        assert 0 < error < limit, f"{name}: {error}"


def test_fp32_on_the_cpu_is_the_network_itself():
    network = LoadedNetwork(FAN(1, 32), {"side": 128}, None)
    assert placing.placed(network, DetectionSettings(device="cpu")) is network


def test_auto_takes_what_is_there_and_cuda_says_when_it_is_not(monkeypatch):
    for there, chosen in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert placing.device_of("auto") == chosen and placing.device_of("cpu") == "cpu"
    with pytest.raises(FacemillError, match=r"no CUDA device; set detection\.device=auto"):
        placing.device_of("cuda")


def test_the_detector_places_all_its_networks():
    found = FaceBoxesDetector(DetectionSettings(device="cpu", precision="bf16"))
    for network in (found.boxes.network, found.landmarks.network):
        assert {p.dtype for p in network.parameters()} == {torch.bfloat16}


def test_fan_gives_the_same_landmarks_in_any_batch_and_nearly_in_bf16():
    torch.manual_seed(1)
    network = FAN(1, 32)
    with torch.no_grad():
        network(torch.rand(8, 3, 128, 128))
    loaded = LoadedNetwork(network.eval(), {"side": 128}, None)
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (150, 160, 3), np.uint8) for _ in range(5)]
    boxes = [np.array([20.0, 20.0, 120.0, 130.0]) + k for k in range(5)]
    together = fan.LandmarkFinder(loaded, batch=5).find(pictures, boxes)
    apart = fan.LandmarkFinder(loaded, batch=1).find(pictures, boxes)
    for one, other in zip(together[:2], apart[:2], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    half = placing.placed(loaded, DetectionSettings(device="cpu", precision="bf16"))
    rough = fan.LandmarkFinder(half).find(pictures, boxes)
    np.testing.assert_allclose(rough[1], together[1], rtol=0.1, atol=0.02)


@pytest.mark.gpu
def test_a_gpu_answers_as_the_cpu_does():
    torch.manual_seed(2)
    network = FAN(1, 32).eval()
    x = torch.rand(2, 3, 128, 128)
    with torch.inference_mode():
        expected = network(x)[0]
        found = placing.Placed(network, "cuda", torch.float32)(x)[0]
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
