"""Colours of ICT's head: the procedural head's skin at the matching places, and a mouth with gums, tongue and teeth.

The scalp is bare skin: a bald person's needs no more, and whoever draws hair draws its roots too.
"""

from __future__ import annotations

import numpy as np

from pipeline.morphable.model import Region
from pipeline.morphable.procedural.anatomy import Anatomy
from pipeline.morphable.procedural.relief import smooth_step
from pipeline.morphable.procedural.skin import Complexion, colour_fields, mean_colour, mix, noise

_FLESH = np.array([0.20, 0.055, 0.05])
_DEEP = np.array([0.03, 0.006, 0.006])
_ENAMEL = np.array([0.60, 0.55, 0.46])


class IctComplexion(Complexion):
    """Where ICT's head is skin, lip, brow and so on, with nostrils and an inside of the mouth that are modelled."""

    def __init__(self, head: Anatomy, nostril: np.ndarray) -> None:
        super().__init__(head)
        self.hair = np.zeros(len(head.points))
        self.nostril = nostril

    def inside_mouth(self, head: Anatomy) -> np.ndarray:
        """(N, 3) linear RGB: flesh that darkens towards the throat, and enamel that yellows towards the molars."""
        z = head.points[:, 2]
        front = z[head.regions == Region.TEETH].max()
        depth = smooth_step((front - z) / 55.0)
        flesh = mix(np.broadcast_to(_FLESH, (len(z), 3)), _DEEP, depth)
        flesh = flesh * (1.0 + 0.08 * noise(head.points, 5.0, 47))[:, None]
        enamel = _ENAMEL * (1.0 - 0.35 * depth[:, None] * np.array([0.8, 1.0, 1.2]))
        return np.where((head.regions == Region.TEETH)[:, None], enamel, flesh)


def colours(head: Anatomy, nostril: np.ndarray) -> tuple[np.ndarray, list[tuple[str, bool, np.ndarray]]]:
    """The mean colour (N, 3), linear RGB, and the ways in which skins differ, as `procedural.skin.colour_fields`.

    ``nostril`` (N,): how deep in a nostril each vertex is. Ways that change nothing on a bare scalp are left out.
    """
    part = IctComplexion(head, nostril)
    mean = mean_colour(head, part)
    return mean, [field for field in colour_fields(head, part, mean) if field[2].any()]
