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
    occluders,
    people,
    viewpoint,
)
from pipeline.datasets.synthetic.anatomy import Head, HeadModel
from pipeline.datasets.synthetic.glasses import Lens
from pipeline.datasets.synthetic.lights import sample_lighting
from pipeline.datasets.synthetic.meshes import Part
from pipeline.datasets.synthetic.plan import Kind, kind_of, original_of, picture_id
from pipeline.datasets.synthetic.scene import draw, nearest, visibility
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
class _Sitter:
    """One person of a scene; part: number of the face's part, worn: names of what they wear and hold."""

    head: Head
    person: people.Person
    expression: np.ndarray
    part: int
    worn: str


@dataclass(frozen=True)
class _Scene:
    parts: list[Part]
    lenses: list[Lens]
    sitters: list[_Sitter]


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
        scene = self._scene(rng, places, identity)
        behind = backgrounds.background(rng, size)
        parts = scene.parts if places else self._faceless(rng)
        linear = behind
        if parts:
            reach = max((place.side for place in places), default=0.3 * size) * 1.8
            drawn = draw(parts, lighting, size, reach)
            gain = np.float32(0.62 / max(drawn.light, 0.02))
            linear = behind * (1 - drawn.cover[..., None]) + drawn.colour * gain
            depth = nearest(drawn)
            for lens in scene.lenses:
                linear = lens.over(linear, depth, lighting)
        image = degrade.expose(rng, linear, camera)
        faces = tuple(
            self._truth(sitter, visibility(drawn, sitter.head, sitter.part)) for sitter in scene.sitters
        )
        light = np.concatenate(
            [lighting.sky, lighting.colours[0], _angles(lighting.directions[0]), [0.03, 14.0]]
        )
        defect = places[0].trouble if places else ""
        if kind is Kind.BROKEN:
            defect = str(rng.choice(("nan", "key", "scale", "absent")))
        return Rendered(kind, defect, image, encode_jpeg(image, camera.quality), faces, light)

    def _scene(self, rng: np.random.Generator, places: list[hardness.Place], identity: int | None) -> _Scene:
        """Everybody in the picture with what they wear."""
        parts, lenses, sitters = [], [], []
        for number, place in enumerate(places):
            other = int(rng.integers(self.settings.identities))
            person = self.person(other if number or identity is None else identity)
            angles = viewpoint.sample_angles(rng, self.settings)
            head, expression = self._head(rng, person, place, angles)
            clothes = body.sample_body(rng)
            first = len(parts)
            made, skin = people.head_parts(head, person, clothes, number)
            worn = accessories.sample(rng, self.settings, head, person, clothes, skin, place.trouble)
            parts += made + worn.parts
            lenses += worn.lenses
            sitters.append(_Sitter(head, person, expression, first, " ".join(worn.names)))
        return _Scene(parts, lenses, sitters)

    def _faceless(self, rng: np.random.Generator) -> list[Part]:
        """What stands in a picture without a face: nothing, things like faces, or somebody seen from behind."""
        size = self.settings.size
        choice = rng.random()
        if choice < 0.15:
            return []
        if choice < 0.65:
            return occluders.lookalikes(rng, size)
        person = self.person(int(rng.integers(self.settings.identities)))
        side, centre = viewpoint.sample_place(rng, self.settings)
        place = hardness.Place(side, centre)
        head, _ = self._head(
            rng, person, place, np.array([rng.normal(0, 0.15), np.pi + rng.normal(0, 0.25), 0.0])
        )
        clothes = body.sample_body(rng)
        made, skin = people.head_parts(head, person, clothes, -1)
        worn = accessories.sample(rng, self.settings, head, person, clothes, skin, "")
        return made + worn.parts

    def _head(
        self, rng: np.random.Generator, person: people.Person, place: hardness.Place, angles: np.ndarray
    ) -> tuple[Head, np.ndarray]:
        model = self.traits.model
        expression = people.sample_expression(rng, self.traits, self.settings.expression_scale)
        vertices = self.traits.vertices(person.shape, expression)
        pose = viewpoint.pose_for(
            vertices[model.keypoints], angles, place.side, place.centre, self.settings.size, place.depth
        )
        return Head(self.traits, vertices, pose.astype(np.float64), self.settings.size), expression

    def _truth(self, sitter: _Sitter, seen: tuple[np.ndarray, float]) -> FaceTruth:
        head, person = sitter.head, sitter.person
        landmarks = head.image[self.traits.model.keypoints]
        edge = self.settings.size - 0.5
        within = ((landmarks[:, :2] >= -0.5) & (landmarks[:, :2] <= edge)).all(1)
        return FaceTruth(
            identity=person.number,
            pose=head.pose.astype(np.float32),
            shape=person.shape,
            expression=sitter.expression,
            albedo=person.albedo,
            landmarks=landmarks,
            visible=seen[0] & within,
            hidden=seen[1],
            inside=float(within.mean()),
            accessories=sitter.worn,
        )


def _angles(direction: np.ndarray) -> np.ndarray:
    """(2,) elevation and azimuth, radians, of a direction to a lamp."""
    return np.array([np.arcsin(np.clip(direction[1], -1, 1)), np.arctan2(direction[0], direction[2])])
