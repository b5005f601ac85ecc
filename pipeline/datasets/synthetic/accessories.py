"""What people wear and hold in one picture: hair or something on it, glasses, things before the face."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pipeline.datasets.synthetic import body, glasses, hair, headwear, occluders
from pipeline.datasets.synthetic.anatomy import Head
from pipeline.datasets.synthetic.meshes import Part
from pipeline.datasets.synthetic.people import Person

if TYPE_CHECKING:
    from pipeline.config import SyntheticSettings


@dataclass(frozen=True)
class Worn:
    """Opaque parts, see-through lenses and names of what one person wears and holds."""

    parts: list[Part]
    lenses: list[glasses.Lens]
    names: tuple[str, ...]


def sample(
    rng: np.random.Generator,
    settings: SyntheticSettings,
    head: Head,
    person: Person,
    clothes: body.Body,
    skin: np.ndarray,
    trouble: str,
) -> Worn:
    """What one person wears in one picture; ``skin`` (3,) is the hands' colour, ``trouble`` what must hide the face."""
    style, names = person.style, []
    parts: list[Part] = []
    lenses: list[glasses.Lens] = []
    if rng.random() < settings.cap:
        style = replace(style, thickness=min(style.thickness, 5.0), fringe=0.0)
        made, name = headwear.make(rng, head, style.thickness)
        parts += made
        names.append(name)
    if "headscarf" not in names:
        parts += hair.parts(head, style, body.down_in_head(head, clothes), skin)
    if rng.random() < settings.glasses:
        made, lenses, name = glasses.make(rng, head)
        parts += made
        names.append(name)
    heavy = trouble in ("covered", "buried")
    if heavy or rng.random() < settings.occluder:
        made, name = occluders.cover(rng, head, trouble, skin)
        parts += made
        names.append(name)
    return Worn(parts, lenses, tuple(names))
