"""How ICT-FaceKit's expressions go together when faces are drawn at random.

Its 53 expressions are weights from 0 to 1, one for each side of the face. Drawn one by one they would pull half a mouth
and send each eye its own way. Here a draw has standard normal causes (a look to the side, a smile, a jaw that
opens), and each weight is a sum of them, held at 0: the two sides share most causes, a look to the left is out for the
left eye and in for the right, and a look to the right is the same cause with the other sign. ICT-FaceKit's shapes of a
look move the lids; the eyeballs stay as they are and look straight ahead.
"""

from __future__ import annotations

import numpy as np

from pipeline.records import FacemillError

_OWN = 0.25
"""How much of its strength a side has for itself, where the sides differ at all."""

_BOTH = {
    # strength of the shared cause at one sigma, by name without its side
    "browDown": 0.30,
    "browInnerUp": 0.25,
    "browOuterUp": 0.25,
    "cheekPuff": 0.13,
    "cheekSquint": 0.15,
    "eyeSquint": 0.25,
    "eyeWide": 0.25,
    "mouthDimple": 0.15,
    "mouthFrown": 0.25,
    "mouthLowerDown": 0.22,
    "mouthPress": 0.20,
    "mouthStretch": 0.20,
    "mouthUpperUp": 0.22,
    "noseSneer": 0.20,
}
_SINGLE = {
    "jawForward": 0.15,
    "mouthFunnel": 0.18,
    "mouthPucker": 0.22,
    "mouthRollLower": 0.15,
    "mouthRollUpper": 0.12,
    "mouthShrugLower": 0.18,
    "mouthShrugUpper": 0.18,
}
_CAUSES = (
    {"eyeLookOut_L": 0.30, "eyeLookIn_R": 0.30, "eyeLookIn_L": -0.30, "eyeLookOut_R": -0.30},
    {"eyeLookUp_L": 0.22, "eyeLookUp_R": 0.22, "eyeLookDown_L": -0.28, "eyeLookDown_R": -0.28},
    {"jawLeft": 0.12, "jawRight": -0.12},
    {"mouthLeft": 0.14, "mouthRight": -0.14},
    {"mouthSmile_L": 0.32, "mouthSmile_R": 0.32, "cheekSquint_L": 0.15, "cheekSquint_R": 0.15},
    {"mouthSmile_L": 0.08, "mouthSmile_R": -0.08},
    {"jawOpen": 0.22},
    {"eyeBlink_L": 0.26, "eyeBlink_R": 0.26},
    {"eyeBlink_L": 0.07, "eyeBlink_R": -0.07},
)
_CLOSER = "mouthClose"
"""It brings the lips of an open jaw together again, and pushes them through each other where the jaw is closed; a draw
leaves it at 0."""


def mixture(names: list[str]) -> np.ndarray:
    """(Ke, Kz) weights of standard normal causes in the expressions ``names``, in their order.

    `FacemillError` when a name is not one of ICT-FaceKit's, or one of those is missing.
    """
    causes: list[dict[str, float]] = [*_CAUSES]
    for name, strength in _BOTH.items():
        own = _OWN * strength
        causes += [
            {f"{name}_L": strength, f"{name}_R": strength},
            {f"{name}_L": own, f"{name}_R": -own},
        ]
    causes += [{name: strength} for name, strength in _SINGLE.items()]
    known = {name for cause in causes for name in cause} | {_CLOSER}
    if set(names) != known:
        odd = sorted(set(names) ^ known)
        raise FacemillError(
            f"ICT-FaceKit: expected its {len(known)} expressions, found {len(names)}; not the same: {', '.join(odd)}"
        )
    rows = {name: row for row, name in enumerate(names)}
    weights = np.zeros((len(names), len(causes)))
    for column, cause in enumerate(causes):
        for name, strength in cause.items():
            weights[rows[name], column] = strength
    return weights
