"""What people wear and hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.datasets.synthetic import body, hair
from pipeline.datasets.synthetic.anatomy import Head
from pipeline.datasets.synthetic.meshes import Part
from pipeline.datasets.synthetic.people import Person

if TYPE_CHECKING:
    from pipeline.config import SyntheticSettings


@dataclass(frozen=True)
class Worn:
    """Parts and names of what one person wears and holds."""

    parts: list[Part]
    names: tuple[str, ...]


def sample(
    rng: np.random.Generator, settings: SyntheticSettings, head: Head, person: Person, clothes: body.Body
) -> Worn:
    """What one person wears in one picture."""
    return Worn(hair.parts(head, person.style, body.down_in_head(head, clothes)), ())
