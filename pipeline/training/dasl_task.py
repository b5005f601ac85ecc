"""How 2DASL learns: parameters of labelled faces beside the consistency of unlabelled ones, then vertices.

Paper: X. Tu et al., IEEE TMM 2021 (arXiv:1903.09359). Its training code was never released; what stands here comes from
the paper's abstract, from advers_proj_utils_3.py in the public history of github.com/XgTu/2DASL (commit ead2e164), and
from an early training script, public too, that imports it ("the early script"). `UNCONFIRMED` says what nobody can
confirm. Spec landmarks 4.2 and 7.
What we changed: all crops are BGR to the network (the early script has unlabelled ones in RGB), batch norms learn (it
keeps ImageNet's), and the critic learns (its optimiser holds another one). Packs hold detected landmarks without
confidences, so points are weighted by their kind alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pipeline.losses.base import PIXELS, Losses
from pipeline.losses.face68 import Face68
from pipeline.losses.params import Vdc, Wpdc
from pipeline.losses.points18 import PUBLISHED, eighteen
from pipeline.losses.self_supervision import adversarial, consistency, criticism
from pipeline.models.critic import Critic
from pipeline.morphable.params62 import EXPRESSION, SHAPE
from pipeline.records import FacemillError
from pipeline.registry import TASKS
from pipeline.seeding import rng, seed_of
from pipeline.training import demands
from pipeline.training.augment import Similarity
from pipeline.training.batches import Packs, Sample
from pipeline.training.optim import total_updates
from pipeline.training.params_task import ParamsTask
from pipeline.training.task import Setup

UNCONFIRMED = {
    "wpdc": "10 in the early script; the paper's is not known",
    "consistency_3d": "the paper's four weights are remembered as 0.005, 0.005, 1 and 0.005, in no sure order; the "
    "early script has 0.005 for the 2D one and the cycle and no such term. Landmarks in px share 0.005 here",
    "self_critic": "what is left of the paper's four: see consistency_3d; the early script has 0.05 for a critic of "
    "expressions alone",
    "vdc": "a second stage of VDC is remembered of the paper; its weight, and whether other terms stay, are not known",
    "vdc_share": "the lengths of the two stages are not known",
    "vdc_sampled": "whether the second stage takes all vertices is not known",
    "critic_sees": "that the critic sees landmarks with the coefficients is remembered of the paper",
    "point_weights": "the early script's; that the paper weights points by their confidence is remembered",
    "jitter": "nobody says that landmarks were disturbed",
    "dropout": "nobody says that landmarks were left out",
    "consistency_2d": "0.005 in the early script and among the paper's four as remembered, in no sure order",
    "cycle": "as of consistency_2d, whose weight it shares",
    "critic_dropout": "the critic's layers are the public history's; whether the paper's has dropout is not known",
}
"""Keywords of the task whose defaults nobody can confirm, and why."""

WEIGHTS = ("wpdc", "consistency_2d", "consistency_3d", "cycle", "self_critic", "vdc")
SEEN = {"landmarks+coefficients": 86, "coefficients": 50, "expression": 10}
"""Numbers that a critic sees: 36 of the 18 points, 40 of the shape, 10 of the expression."""


class Faces(NamedTuple):
    """A batch's images (B, 3, S, S), their detected landmarks (B, 68, 2) px, and these as the network sees them."""

    image: Tensor
    points: Tensor
    shown: Tensor


@TASKS.register("2dasl")
class DaslTask(ParamsTask):
    """`wpdc` x WPDC of labelled faces + for as many unlabelled ones `consistency_2d` x the distance of the answer's 18
    points from the detected ones + `consistency_3d` x that of its 68 landmarks from those of a second answer, to the
    same crop with the first one's own landmarks + `cycle` x the distance of the second answer's 18 points from the
    detected ones + `self_critic` x what the critic says to the first. In the last `vdc_share` of the updates `vdc` x
    VDC of labelled faces alone. Distances are mean squares in px of a 120 px crop, those of 18 points divided by 18, as
    the early script does.

    sampled: random vertices beside the 68 in WPDC. vdc_sampled: the same in VDC, 0 for all vertices. point_weights:
    "published" (2 for the nose's tip and the mouth's centre, 1 for the eyes' centres and the mouth's corners, 0.5 for
    others) or "uniform". critic_sees: "landmarks+coefficients" (the 18 detected points with shape and expression),
    "coefficients" or "expression"; real are labelled faces with their truth. jitter: deviation of a disturbance of the
    landmarks that the network sees, a share of the side; dropout: probability that it does not see one.

    `FacemillError` for other words, for weights or shares that are negative, for a patience that may end a training
    before its second stage, and as `ParamsTask`.
    """

    learns_unlabelled = True

    def __init__(
        self,
        setup: Setup,
        *,
        wpdc: float = 10.0,
        consistency_2d: float = 0.005,
        consistency_3d: float = 0.005,
        cycle: float = 0.005,
        self_critic: float = 1.0,
        vdc: float = 1.0,
        vdc_share: float = 0.25,
        sampled: int = 132,
        vdc_sampled: int = 0,
        point_weights: str = "published",
        critic_sees: str = "landmarks+coefficients",
        critic_dropout: float = 0.4,
        jitter: float = 0.0,
        dropout: float = 0.0,
    ):
        super().__init__(setup)
        given = (wpdc, consistency_2d, consistency_3d, cycle, self_critic, vdc)
        self.weights = dict(zip(WEIGHTS, given, strict=True))
        demands.weights(**self.weights)
        demands.positive(wpdc=wpdc, vdc=vdc)
        demands.shares(vdc_share=vdc_share, jitter=jitter, dropout=dropout, critic_dropout=critic_dropout)
        demands.counts(sampled=sampled, vdc_sampled=vdc_sampled)
        if point_weights not in ("published", "uniform"):
            raise FacemillError(f"task.point_weights: expected published or uniform, found {point_weights!r}")
        if critic_sees not in SEEN:
            raise FacemillError(f"task.critic_sees: expected {', '.join(SEEN)}, found {critic_sees!r}")
        self.sampled, self.vdc_sampled, self.critic_sees = sampled, vdc_sampled, critic_sees
        self.jitter, self.dropout = jitter, dropout
        self.factors = torch.tensor(PUBLISHED) if point_weights == "published" else torch.ones(len(PUBLISHED))
        self.unlabelled = self.packs if setup.unlabelled is None else setup.unlabelled
        self.second_stage = round(total_updates(self.training, self.samples) * (1 - vdc_share))
        if self.training.patience is not None and vdc_share:
            raise FacemillError(
                "training.patience: expected null for the task 2dasl, since it might end a training before its second "
                "stage; set training.patience=null, or task.vdc_share=0 for a training of the first stage alone"
            )
        self.face68 = Face68(setup.face, self.size)
        self.wpdc, self.vdc = Wpdc(setup.face, self.size), Vdc(setup.face, self.size)
        if self_critic:
            drawn = torch.Generator().manual_seed(seed_of("critic", self.seed) % 2**63)
            self.critic = Critic(SEEN[critic_sees], drawn, critic_dropout)

    def require(self, network: torch.nn.Module) -> None:
        """`FacemillError` for a network that does not take the detected landmarks, and as `ParamsTask`."""
        super().require(network)
        if not self.setup.points:
            raise FacemillError(
                "expected a network that takes the detected landmarks for the task 2dasl, found "
                f"{type(network).__name__}; set models.<id>.model=2dasl"
            )

    def batch(self, update: int) -> dict[str, Tensor]:
        """`image` (B, 3, S, S), `points` and `shown` (B, 68, 2) px (the landmarks as detected, and as the network sees
        them: NaN where it does not), `params` (B, 62) raw float32, `vertices` (n,) int64; in the first stage `image`,
        `points` and `shown` of B unlabelled faces too, with the prefix `unlabelled_`."""
        first = update < self.second_stage
        vertices = rng("vertices", self.seed, update).permutation(len(self.setup.face.mean))
        vertices = vertices[: self.sampled if first else self.vdc_sampled]
        faces, seen = self._faces(self.packs, self.picks(update))
        params = np.stack([self.truth(sample, similarity) for sample, similarity in seen])
        batch = {**faces, "params": torch.from_numpy(params).float(), "vertices": torch.from_numpy(vertices)}
        if first:
            others, _ = self._faces(self.unlabelled, self.picks(update, "unlabelled", len(self.unlabelled)))
            batch |= {f"unlabelled_{name}": value for name, value in others.items()}
        return batch

    def loss(self, model: torch.nn.Module, batch: dict[str, Tensor]) -> Losses:
        """The parts, each times its weight, and `critic`, what the critic itself pays; no part without weight."""
        for module in (self.face68, self.wpdc, self.vdc):
            module.to(batch["image"].device)
        mean, std = model.param_mean, model.param_std
        labelled = Faces(batch["image"], batch["points"], batch["shown"])
        target = (batch["params"] - mean) / std
        if "unlabelled_image" not in batch:
            vertices = batch["vertices"] if self.vdc_sampled else None
            answer = model(labelled.image, labelled.shown)
            distance = self.vdc(answer, target, mean, std, vertices) * (PIXELS / self.size) ** 2
            return Losses({"vdc": self.weights["vdc"] * distance})
        others = Faces(*(batch[f"unlabelled_{name}"] for name in Faces._fields))
        both = model(torch.cat([labelled.image, others.image]), torch.cat([labelled.shown, others.shown]))
        answer, first = both.split([len(labelled.image), len(others.image)])
        parts = {"wpdc": self.wpdc(answer, target, mean, std, batch["vertices"])}
        parts |= self._consistencies(model, others, self.face68(first * std + mean))
        if self.critic is not None:
            real, fake = self._features(target, labelled.points), self._features(first, others.points)
            parts["self_critic"] = adversarial(self.critic, fake)
        parts = {name: self.weights[name] * value for name, value in parts.items() if self.weights[name]}
        return Losses(
            parts if self.critic is None else {**parts, "critic": criticism(self.critic, real, fake)}
        )

    def _consistencies(self, model: torch.nn.Module, faces: Faces, landmarks: Tensor) -> dict[str, Tensor]:
        """The losses of unlabelled faces whose first answer has these landmarks (B, 68, 3)."""
        factors = self.factors.to(landmarks.device)
        detected = eighteen(faces.points)

        def to_detected(found: Tensor) -> Tensor:
            return consistency(eighteen(found[..., :2]), detected, self.size, factors) / len(factors)

        parts = {"consistency_2d": to_detected(landmarks)}
        if self.weights["consistency_3d"] or self.weights["cycle"]:
            answer = model(faces.image, landmarks[..., :2].detach())
            again = self.face68(answer * model.param_std + model.param_mean)
            parts["consistency_3d"] = consistency(again, landmarks, self.size)
            parts["cycle"] = to_detected(again)
        return parts

    def _features(self, white: Tensor, points: Tensor) -> Tensor:
        """What the critic sees of whitened parameters (B, 62) and detected landmarks."""
        if self.critic_sees == "expression":
            return white[:, EXPRESSION]
        coefficients = white[:, SHAPE.start : EXPRESSION.stop]
        if self.critic_sees == "coefficients":
            return coefficients
        return torch.cat([eighteen(points).flatten(1) * (2 / self.size) - 1, coefficients], dim=1)

    def _faces(
        self, packs: Packs, picks: list[tuple[int, np.random.Generator]]
    ) -> tuple[dict[str, Tensor], list[tuple[Sample, Similarity]]]:
        """The fields of `Faces` of these picks, and what they were made from."""
        fields: dict[str, list[np.ndarray]] = {name: [] for name in Faces._fields}
        seen = []
        for row, random in picks:
            sample = packs.sample(row)
            crop, similarity = self.augmented(sample, random)
            side = len(sample.image)
            points = self.points(similarity.apply_to_points(sample.points, side), side)
            for name, value in zip(
                fields, (self.image(crop), points, self._disturbed(points, random)), strict=True
            ):
                fields[name].append(value)
            seen.append((sample, similarity))
        return {name: torch.from_numpy(np.stack(values)) for name, values in fields.items()}, seen

    def _disturbed(self, points: np.ndarray, random: np.random.Generator) -> np.ndarray:
        moved = points + np.float32(self.jitter * self.size) * random.standard_normal(
            points.shape, np.float32
        )
        moved[random.random(len(points)) < self.dropout] = np.nan
        return moved
