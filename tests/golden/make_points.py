"""Writes points.json: four faces of 68 points and their errors, worked out with plain Python numbers and loops.

No numpy and nothing of the pipeline is used, so that a mistake in the metrics cannot hide in their own golden values.
Points are multiples of 1/8 px from a small linear congruential generator. Type: python tests/golden/make_points.py
"""

import json
import math
from fractions import Fraction
from pathlib import Path

STATE = [20241]


def draw(limit: int) -> int:
    """A whole number from 0 to limit - 1 (Lehmer's generator with Park and Miller's multiplier)."""
    STATE[0] = STATE[0] * 16807 % (2**31 - 1)
    return STATE[0] % limit


def face() -> tuple[list, list]:
    """True and predicted points, each 68 x (x, y, z) in eighths of a pixel."""
    truth = [[800 + draw(1600), 640 + draw(1920), draw(960) - 480] for _ in range(68)]
    predicted = [[value + draw(65) - 32 for value in point] for point in truth]
    return truth, predicted


def nme(predicted: list, truth: list, axes: int, origin: str) -> float:
    """Per cent of sqrt(w h) of the true box; depth less its least value ("z_min") or its mean ("z_mean")."""
    width = max(p[0] for p in truth) - min(p[0] for p in truth)
    height = max(p[1] for p in truth) - min(p[1] for p in truth)
    shift = Fraction(0)
    if origin == "z_min":
        shift = Fraction(min(p[2] for p in predicted) - min(p[2] for p in truth))
    if origin == "z_mean":
        shift = Fraction(sum(p[2] for p in predicted) - sum(p[2] for p in truth), 68)
    total = 0.0
    for p, t in zip(predicted, truth, strict=True):
        squares = Fraction((p[0] - t[0]) ** 2 + (p[1] - t[1]) ** 2)
        if axes == 3:
            squares += (p[2] - t[2] - shift) ** 2
        total += math.sqrt(squares)
    return 100 * total / 68 / math.sqrt(width * height)


def main() -> None:
    """Write the file beside this one."""
    faces = []
    for _ in range(4):
        truth, predicted = face()
        expected = {
            "2d": nme(predicted, truth, 2, "none"),
            "3d_z_min": nme(predicted, truth, 3, "z_min"),
            "3d_z_mean": nme(predicted, truth, 3, "z_mean"),
        }
        faces.append({"truth_eighths": truth, "predicted_eighths": predicted, "nme_percent": expected})
    path = Path(__file__).with_name("points.json")
    path.write_text(json.dumps(faces, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
