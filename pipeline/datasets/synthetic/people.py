"""People: the pool of identities of a data set, and the face that one shows in one picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.datasets.synthetic import body, hair
from pipeline.datasets.synthetic.anatomy import Head, HeadModel
from pipeline.datasets.synthetic.meshes import Part
from pipeline.datasets.synthetic.textures import Texture
from pipeline.morphable.model import Region

_ALBEDO_SCALE = 0.85
_EYEBALLS = 0.08  # share of the vertices; a larger region of eyes holds lids and brows too
_TONES = np.array(
    [(1.15, 1.15, 1.15), (1.0, 1.0, 1.0), (0.85, 0.75, 0.62), (0.55, 0.42, 0.33), (0.26, 0.17, 0.12)]
)


@dataclass(frozen=True)
class Person:
    """What stays the same between pictures of one person.

    shape (Ks,), albedo (Ka,): raw coefficients. tone (3,): gain on the skin for a model without albedo modes.
    """

    number: int
    shape: np.ndarray
    albedo: np.ndarray
    tone: np.ndarray
    style: hair.HairStyle
    greasy: float


def sample_person(
    rng: np.random.Generator, number: int, traits: HeadModel, scale: float, haired: float
) -> Person:
    """Person ``number`` of a pool; ``rng`` depends on the data set and the number only."""
    model = traits.model
    shape = model.draw_shape(rng, scale)
    albedo = np.zeros(0)
    tone = np.exp(rng.normal(0, 0.05, 3))
    if model.albedo_basis is not None:
        albedo = _balanced(traits, model.draw_albedo(rng, _ALBEDO_SCALE))
    else:
        tone = tone * _TONES[rng.choice(len(_TONES))]
    style = hair.sample_style(rng, full=rng.random() < haired)
    return Person(number, shape, albedo, tone, style, float(rng.uniform(0.3, 1.6)))


def _balanced(traits: HeadModel, albedo: np.ndarray) -> np.ndarray:
    """Albedo coefficients whose later modes are as much weaker as the first mode makes the skin darker.

    The first mode is the skin's tone; spots and flushes add to it linearly, and would drown a dark one.
    """
    mean, tone = traits.brightness
    darker = mean + tone * albedo[0]
    return np.concatenate([albedo[:1], albedo[1:] * np.clip(darker / mean, 0.15, 1.0)])


def sample_expression(rng: np.random.Generator, traits: HeadModel, scale: float) -> np.ndarray:
    """(Ke,) raw expression coefficients: often nearly none, sometimes strong."""
    strength = rng.choice([0.25, 0.7, 1.1], p=[0.3, 0.45, 0.25]) * scale
    return traits.model.draw_expression(rng, strength)


def skin_colour(traits: HeadModel, person: Person) -> np.ndarray:
    """(N, 3) float32 linear RGB of the whole mesh."""
    model = traits.model
    if model.albedo_mean is None:
        return np.full((len(model.mean), 3), (0.45, 0.28, 0.21), np.float32) * person.tone.astype(np.float32)
    colour = model.albedo_mean.astype(np.float32)
    if model.albedo_basis is not None:
        modes = model.albedo_basis.reshape(-1, model.albedo_basis.shape[2])
        colour = colour + (modes @ person.albedo.astype(np.float32)).reshape(-1, 3)
    return np.clip(colour * person.tone.astype(np.float32), 0.004, 1.0)


def throat_colour(traits: HeadModel, colour: np.ndarray) -> np.ndarray:
    """(3,) the skin's colour at the lower end of the mesh, where the made neck joins."""
    model = traits.model
    neck = model.regions == Region.NECK
    if not neck.any():
        low = np.quantile(model.mean[model.face_mask][:, 1], 0.12)
        neck = model.face_mask & (model.mean[:, 1] < low)
    return np.median(colour[neck], 0)


def face_part(head: Head, person: Person, colour: np.ndarray, number: int) -> Part:
    """The morphable mesh itself with its surface: moist eyes and lips, an oily nose and brow, dark hollows."""
    traits = head.traits
    regions = traits.model.regions
    scalp = regions == Region.SCALP
    if traits.painted_hair:
        hair_share = 0.0 if person.style.bald else (0.85 if person.style.full else 0.5)
        colour = colour.copy()
        colour[scalp] = hair_share * person.style.colour + (1 - hair_share) * colour[
            ~scalp & traits.model.face_mask
        ].mean(0)
    elif traits.has_scalp and not person.style.bald:
        share = (0.85 if person.style.full else 0.5) * hair.roots(traits, person.style)[:, None]
        colour = share * person.style.colour + (1 - share) * colour
    gloss = np.full(len(regions), 0.022 * person.greasy)
    shine = np.full(len(regions), 14.0)
    for region, strength, exponent in (
        (Region.NOSE, 0.04 * person.greasy, 18.0),
        (Region.LIPS, 0.05, 24.0),
        (Region.EYE, 0.35, 220.0),
        (Region.MOUTH_INNER, 0.02, 30.0),
        (Region.TEETH, 0.10, 60.0),
        (Region.BROW, 0.005, 8.0),
        (Region.SCALP, 0.02, 12.0),
    ):
        here = regions == region
        if region is not Region.EYE or here.mean() < _EYEBALLS:
            gloss[here], shine[here] = strength, exponent
    return Part(
        vertices=head.drawn,
        triangles=traits.model.triangles,
        albedo=colour,
        gloss=gloss,
        shine=shine,
        occlusion=traits.occlusion,
        texture=Texture.SKIN,
        coordinates=traits.coordinates,
        face=number,
    )


def head_parts(head: Head, person: Person, clothes: body.Body, number: int) -> tuple[list[Part], np.ndarray]:
    """Face, neck, clothes and mouth, the face first; and the skin's colour (3,) at the throat."""
    colour = skin_colour(head.traits, person)
    throat = throat_colour(head.traits, colour)
    parts = [face_part(head, person, colour, number), *body.parts(head, clothes, throat)]
    if not head.traits.has_mouth:
        parts.append(body.mouth_dark(head))
    return parts, throat
