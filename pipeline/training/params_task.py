"""What the tasks of networks that answer the 62 parameters have in common: truth, whitening, selection."""

from __future__ import annotations

import numpy as np
import torch

from pipeline.geometry.frames import CropTransform
from pipeline.metrics.normalisers import box_size
from pipeline.metrics.points import nme
from pipeline.morphable.params62 import CAMERA, COUNT, Whitening, crop_camera, crop_points
from pipeline.records import FacemillError
from pipeline.seeding import rng
from pipeline.targets.params import ParamsTarget
from pipeline.training.augment import Similarity, draw_similarity
from pipeline.training.batches import Sample
from pipeline.training.task import PackTask, Setup


class ParamsTask(PackTask):
    """Networks whose `predict` answers raw parameters (B, 62) of the S px crop, whitened inside by their buffers
    `param_mean` and `param_std` (62,).

    The truth of a target of another side is scaled to the network's. `FacemillError` for one of another kind, and
    where mirrored samples are asked for: the parameters of a mirrored face are not known.
    """

    def __init__(self, setup: Setup):
        super().__init__(setup)
        if not isinstance(setup.target, ParamsTarget):
            raise FacemillError(
                f"expected a target of the kind params, found {type(setup.target).__name__}; set the model's target"
            )
        if setup.training.augment.flip > 0:
            raise FacemillError(
                "training.augment.flip: expected 0 for a model that learns parameters, which nobody knows of a "
                f"mirrored face; found {setup.training.augment.flip:g}; set training.augment.flip=0"
            )

    def require(self, network: torch.nn.Module) -> None:
        """`FacemillError` for a network without whitening."""
        if not {"param_mean", "param_std"} <= {name for name, _ in network.named_buffers()}:
            raise FacemillError(
                f"expected a network that answers parameters, found {type(network).__name__} without the buffers "
                "param_mean and param_std; set the model's target and task"
            )

    def prepare(self, network: torch.nn.Module) -> None:
        """Fit the whitening to the training set, each face augmented once, as the network will see it."""
        rows = np.empty((self.samples, COUNT))
        for row in range(self.samples):
            similarity = draw_similarity(self.training.augment, rng("whitening", self.seed, row))
            rows[row] = self.truth(self.packs.sample(row), similarity)
        whitening = Whitening.fit(rows)
        network.param_mean.copy_(torch.from_numpy(whitening.mean))
        network.param_std.copy_(torch.from_numpy(whitening.std))

    def truth(self, sample: Sample, similarity: Similarity) -> np.ndarray:
        """Raw parameters (62,) float64 of a sample's changed crop at the network's side."""
        parameters = self._true(sample)
        camera = parameters[CAMERA].reshape(3, 4)
        parameters[CAMERA] = similarity.apply_to_camera(camera, self.size).ravel()
        return parameters

    def _true(self, sample: Sample) -> np.ndarray:
        """Raw parameters (62,) of a sample's crop, scaled from the target's side to the network's."""
        parameters = self.setup.target.decode(sample.stored).copy()
        side = self.setup.target.side
        resized = CropTransform(1.0, (side - 1) / 2, (side - 1) / 2, side).resized(self.size)
        parameters[CAMERA] = crop_camera(parameters[CAMERA].reshape(3, 4), side, resized).ravel()
        return parameters

    def validate(self, model: torch.nn.Module) -> dict[str, float]:
        """Mean distance in x and y of the 68 landmarks of the answers from those of the true parameters over the
        held-out faces, in % of sqrt(w h) of the true ones' box ("selection"); nothing without held-out faces."""
        errors = []
        for samples, answer in self.held_out_answers(model):
            for sample, parameters in zip(samples, answer.double().cpu().numpy(), strict=True):
                found, true = (
                    crop_points(p, self.setup.face, self.size, keypoints=True)[:, :2]
                    for p in (parameters, self._true(sample))
                )
                errors.append(nme(found, true, box_size(true)))
        return {"selection": float(np.mean(errors))} if errors else {}
