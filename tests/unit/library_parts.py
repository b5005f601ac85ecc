"""What face-alignment's detectors need and the tests make: small files of weights, stand-ins for packages."""

import types

import numpy as np
import torch
from face_alignment.detection.blazeface.net_blazeface import BlazeFace
from face_alignment.detection.sfd.net_s3fd import s3fd
from torch import nn


def save_sfd(path):
    """S3FD that is sure at stride 32 (the fourth map) and nowhere else."""
    torch.manual_seed(0)
    network = s3fd()
    with torch.no_grad():
        for name, layer in network.named_children():
            if name.endswith("_conf"):
                layer.weight.zero_()
                layer.bias.fill_(-9)
                layer.bias[0] = 9
                if name.startswith("fc7"):
                    layer.bias.copy_(torch.tensor([-2.0, 2.0]))
    torch.save(network.state_dict(), path)


def save_blazeface(path, back=False, inverted=False):
    """BlazeFace of random weights whose boxes have about the size of their anchors, or one below zero."""
    torch.manual_seed(1)
    network = BlazeFace(back_model=back)
    with torch.no_grad():
        for layer in (network.regressor_8, network.regressor_16):
            layer.weight.mul_(0.1)
            for k in (2, 3):
                layer.bias[k::16] = -100.0 if inverted else 100.0
    torch.save(network.state_dict(), path)
    anchors = np.random.default_rng(1).uniform(0.1, 0.9, (896, 4)).astype(np.float32)
    anchors[:, 2:] = 0.3
    np.save(path.with_name("anchorsback.npy" if back else "anchors.npy"), anchors)


class Session:
    """ONNX Runtime's session, with numpy for the file that `save_scrfd` writes."""

    def __init__(self, path, options=None, providers=()):
        self.providers, self.options = list(providers), options
        if not path.endswith(".onnx"):
            raise ValueError("no model")

    def get_inputs(self):
        return [types.SimpleNamespace(name="input.1")]

    def get_outputs(self):
        return [types.SimpleNamespace(name=str(k)) for k in range(9)]

    def get_providers(self):
        return self.providers

    def run(self, names, inputs):
        mean = inputs["input.1"][0, 2] - inputs["input.1"][0, 0]
        red = mean.reshape(40, 16, 40, 16).mean(axis=(1, 3)).reshape(-1, 1) * 128 / 255
        cells = [2 * (640 // s) ** 2 for s in (8, 16, 32)]
        scores = [np.zeros((n, 1), np.float32) for n in cells]
        scores[1] = np.stack([red, red - 0.2], axis=1).reshape(-1, 1)
        boxes = [np.tile(np.float32([1, 2, 3, 4]), (n, 1)) for n in cells]
        return [*scores, *boxes, *(np.zeros((n, 10), np.float32) for n in cells)]


class LayerGetter(nn.ModuleDict):
    """torchvision's IntermediateLayerGetter: a network's first children, and the outputs of those that are named."""

    def __init__(self, model, return_layers):
        wanted, children = dict(return_layers), {}
        for name, child in model.named_children():
            children[name] = child
            wanted.pop(name, None)
            if not wanted:
                break
        super().__init__(children)
        self.named = {str(k): str(v) for k, v in return_layers.items()}

    def forward(self, x):
        out = {}
        for name, child in self.items():
            x = child(x)
            if name in self.named:
                out[self.named[name]] = x
        return out
