"""Picture number i of a synthetic data set: pixels and truth, from (seed, data set id, i) alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pipeline.datasets.synthetic import (
    accessories,
    backgrounds,
    body,
    degrade,
    hardness,
    people,
    viewpoint,
)
from pipeline.datasets.synthetic.anatomy import Head, HeadModel
from pipeline.datasets.synthetic.lights import sample_lighting
from pipeline.datasets.synthetic.plan import Kind, kind_of, original_of, picture_id
from pipeline.datasets.synthetic.scene import draw, visibility
from pipeline.io.images import encode_jpeg
from pipeline.seeding import rng as keyed

if TYPE_CHECKING:
    from pipeline.config import SyntheticSettings


@dataclass(frozen=True)
class FaceTruth:
    """One face of a picture as it was drawn.

    pose (7,) float32, shape (Ks,), expression (Ke,), albedo (Ka,): what the .mat holds. landmarks (68, 3): image px,
    0-based. visible (68,) bool. hidden: share of the face's front behind something. inside: share of the landmarks
    in the picture.
    """

    identity: int
    pose: np.ndarray
    shape: np.ndarray
    expression: np.ndarray
    albedo: np.ndarray
    landmarks: np.ndarray
    visible: np.ndarray
    hidden: float
    inside: float
    accessories: str


@dataclass(frozen=True)
class Rendered:
    """A picture: its kind and what is wrong, pixels, the JPEG before any damage, and its faces, the main one first."""

    kind: Kind
    defect: str
    image: np.ndarray
    jpeg: bytes
    faces: tuple[FaceTruth, ...]
    light: np.ndarray


@dataclass(frozen=True)
class Synthesiser:
    """The pictures of one data set."""

    settings: SyntheticSettings
    traits: HeadModel
    seed: int
    dataset: str

    def kind(self, index: int) -> Kind:
        """What picture ``index`` is."""
        return kind_of(self.settings, self.seed, self.dataset, index)

    def person(self, number: int) -> people.Person:
        """Identity ``number`` of this data set's pool."""
        generator = keyed(self.seed, self.dataset, "person", number)
        return people.sample_person(
            generator, number, self.traits, self.settings.shape_scale, self.settings.hair
        )

    def _source(self, index: int) -> int:
        """The number that picture ``index`` is drawn from: a duplicate has its original's."""
        if self.kind(index) is not Kind.DUPLICATE:
            return index
        return original_of(self.settings, self.seed, self.dataset, index)

    def identity(self, index: int) -> int | None:
        """The person of picture ``index``'s first face; None where there is no face."""
        if self.kind(index) is Kind.NONE:
            return None
        generator = keyed(self.seed, self.dataset, self._source(index), "identity")
        return int(generator.integers(self.settings.identities))

    def name(self, index: int) -> str:
        """The id of picture ``index``."""
        return picture_id(index, self.identity(index))

    def picture(self, index: int) -> Rendered:
        """Picture ``index``; a duplicate is drawn again from its original's number."""
        kind = self.kind(index)
        generator = keyed(self.seed, self.dataset, self._source(index))
        drawn = self._draw(generator, Kind.ORDINARY if kind is Kind.DUPLICATE else kind, self.identity(index))
        return replace(drawn, kind=kind)

    def _draw(self, rng: np.random.Generator, kind: Kind, identity: int | None) -> Rendered:
        settings, size = self.settings, self.settings.size
        lighting = sample_lighting(rng, settings.shadows)
        camera = degrade.sample_camera(rng, settings)
        places = hardness.places(rng, settings, kind)
        camera = hardness.spoil(rng, camera, kind, places)
        parts, heads, owners, worn = [], [], [], []
        for number, place in enumerate(places):
            other = int(rng.integers(settings.identities))
            person = self.person(other if number or identity is None else identity)
            head, expression = self._head(rng, person, place)
            clothes = body.sample_body(rng)
            owners.append(len(parts))
            parts += people.head_parts(head, person, clothes, number)
            extra = accessories.sample(rng, settings, head, person, clothes)
            parts += extra.parts
            heads.append((head, person, expression))
            worn.append(extra.names)
        behind = backgrounds.background(rng, size)
        linear, drawn = behind, None
        if parts:
            reach = max((place.side for place in places), default=0.3 * size) * 1.8
            drawn = draw(parts, lighting, size, reach)
            gain = 0.62 / max(drawn.light, 0.02)
            linear = behind * (1 - drawn.cover[..., None]) + drawn.colour * np.float32(gain)
        image = degrade.expose(rng, linear, camera)
        faces = tuple(
            self._truth(head, person, expression, visibility(drawn, head, owner), names)
            for (head, person, expression), owner, names in zip(heads, owners, worn, strict=True)
        )
        light = np.concatenate(
            [lighting.sky, lighting.colours[0], _angles(lighting.directions[0]), [0.03, 14.0]]
        )
        defect = places[0].trouble if places else ""
        if kind is Kind.BROKEN:
            defect = str(rng.choice(("nan", "key", "scale", "absent")))
        return Rendered(kind, defect, image, encode_jpeg(image, camera.quality), faces, light)

    def _head(
        self, rng: np.random.Generator, person: people.Person, place: hardness.Place
    ) -> tuple[Head, np.ndarray]:
        model = self.traits.model
        expression = people.sample_expression(rng, self.traits, self.settings.expression_scale)
        vertices = model.vertices(person.shape, expression)
        angles = viewpoint.sample_angles(rng, self.settings)
        pose = viewpoint.pose_for(
            vertices[model.keypoints], angles, place.side, place.centre, self.settings.size, place.depth
        )
        return Head(self.traits, vertices, pose.astype(np.float64), self.settings.size), expression

    def _truth(
        self,
        head: Head,
        person: people.Person,
        expression: np.ndarray,
        seen: tuple[np.ndarray, float],
        names: tuple[str, ...],
    ) -> FaceTruth:
        landmarks = head.image[self.traits.model.keypoints]
        edge = self.settings.size - 0.5
        within = ((landmarks[:, :2] >= -0.5) & (landmarks[:, :2] <= edge)).all(1)
        return FaceTruth(
            identity=person.number,
            pose=head.pose.astype(np.float32),
            shape=person.shape,
            expression=expression,
            albedo=person.albedo,
            landmarks=landmarks,
            visible=seen[0] & within,
            hidden=seen[1],
            inside=float(within.mean()),
            accessories=" ".join(names),
        )


def _angles(direction: np.ndarray) -> np.ndarray:
    """(2,) elevation and azimuth, radians, of a direction to a lamp."""
    return np.array([np.arcsin(np.clip(direction[1], -1, 1)), np.arctan2(direction[0], direction[2])])
