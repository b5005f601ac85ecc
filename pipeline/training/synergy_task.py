"""How SynergyNet learns: parameters, the landmarks that they give, and the way back from landmarks to parameters.

Paper: C.-Y. Wu et al., 3DV 2021; constants from the public code (github.com/choyingw/SynergyNet, MIT). Spec landmarks
3.3 and 3.4.
What we changed: the loss of the reverse direction compares the same coefficients (`legacy_reverse_slice` compares those
of the released code), the region "lower right" is the lower right one (`legacy_lower_right`), colours vary as RGB (the
public code takes BGR for it, as `legacy_bgr_colours` does), and the augmentation of all our tasks is there too, as far
as training.augment asks for it; the paper has none.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from pipeline.losses.base import PIXELS, Losses
from pipeline.losses.face68 import Face68
from pipeline.losses.synergy import SynergyLoss
from pipeline.records import FacemillError
from pipeline.registry import TASKS
from pipeline.training import demands
from pipeline.training.params_task import ParamsTask
from pipeline.training.synergy_photo import REGIONS, jittered, only_a_region
from pipeline.training.task import Setup


@TASKS.register("synergynet")
class SynergyTask(ParamsTask):
    """Networks with the heads, the refiner and the reverse module of `pipeline.models.synergynet`.

    landmarks, refined, parameters, reverse, consistency: weights of the losses; omega, epsilon: of the wing loss, in px
    of a 120 px crop, in which landmarks are compared whatever the network's side; legacy_reverse_slice:
    `pipeline.losses.synergy`. brightness, contrast, saturation: spread of each about 1. region:
    probability that all but one of seven regions is black; legacy_lower_right: `synergy_photo.only_a_region`;
    legacy_bgr_colours: contrast and saturation weigh blue as red and red as blue.

    `FacemillError` for a spread or probability outside [0, 1], for a batch of one face, whose batch norms have nothing
    to compare it with, and as `ParamsTask`.
    """

    def __init__(
        self,
        setup: Setup,
        *,
        landmarks: float = 0.05,
        refined: float = 0.05,
        parameters: float = 0.02,
        reverse: float = 0.02,
        consistency: float = 0.001,
        omega: float = 10.0,
        epsilon: float = 2.0,
        legacy_reverse_slice: bool = False,
        brightness: float = 0.4,
        contrast: float = 0.4,
        saturation: float = 0.4,
        region: float = 0.01,
        legacy_lower_right: bool = False,
        legacy_bgr_colours: bool = False,
    ):
        super().__init__(setup)
        self.spreads = {"brightness": brightness, "contrast": contrast, "saturation": saturation}
        demands.shares(**self.spreads, region=region)
        demands.weights(
            landmarks=landmarks,
            refined=refined,
            parameters=parameters,
            reverse=reverse,
            consistency=consistency,
        )
        demands.positive(omega=omega, epsilon=epsilon)
        if self.training.batch_size < 2:
            raise FacemillError(
                f"training.batch_size: expected 2 or more for the task synergynet, found {self.training.batch_size}"
            )
        self.region, self.legacy_lower_right = region, legacy_lower_right
        self.order = -1 if legacy_bgr_colours else 1
        self.face68 = Face68(setup.face, self.size)
        self.criterion = SynergyLoss(
            landmarks=landmarks,
            refined=refined,
            parameters=parameters,
            reverse=reverse,
            consistency=consistency,
            omega=omega,
            epsilon=epsilon,
            legacy_reverse_slice=legacy_reverse_slice,
        )

    def require(self, network: torch.nn.Module) -> None:
        """`FacemillError` for a network without refiner and reverse module, and as `ParamsTask`."""
        super().require(network)
        lacking = [name for name in ("refine", "reverse") if not hasattr(network, name)]
        if lacking:
            raise FacemillError(
                f"expected a network with {' and '.join(lacking)} for the task synergynet, found "
                f"{type(network).__name__}"
            )

    def batch(self, update: int) -> dict[str, Tensor]:
        """`image` (B, 3, S, S) in [0, 1] and `params` (B, 62), raw, of the S px crop."""
        images, truths = [], []
        for row, random in self.picks(update):
            sample = self.packs.sample(row)
            crop, similarity = self.augmented(sample, random)
            images.append(self.disturbed(self.image(crop), random))
            truths.append(self.truth(sample, similarity))
        params = torch.from_numpy(np.stack(truths)).float()
        return {"image": torch.from_numpy(np.stack(images)), "params": params}

    def disturbed(self, image: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """An input (3, S, S) with other colours and, at times, one region alone."""
        image = jittered(image[:: self.order], **self.spreads, random=random)[:: self.order]
        if random.random() < self.region:
            image = only_a_region(image, REGIONS[random.integers(len(REGIONS))], self.legacy_lower_right)
        return image

    def loss(self, model: torch.nn.Module, batch: dict[str, Tensor]) -> Losses:
        """The five parts of `SynergyLoss`, landmarks in px of a 120 px crop; the true ones are those of the true
        parameters."""
        face68 = self.face68.to(batch["image"].device)
        answer = model(batch["image"])
        predicted = answer["params"]
        points = face68(model.raw(predicted))
        refined = model.refine(points, answer["features"], predicted)
        unit = PIXELS / self.size
        return self.criterion(
            unit * points,
            unit * refined,
            unit * face68(batch["params"]),
            predicted,
            model.reverse(refined),
            model.whiten(batch["params"]),
        )
