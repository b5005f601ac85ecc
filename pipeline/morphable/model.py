"""The one form in which every face model is used: a mean, linear modes, triangles, a chart and landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from pipeline.records import FacemillError


class Region(IntEnum):
    """What a vertex belongs to. A model that does not know says SKIN."""

    SKIN = 0
    LIPS = 1
    EYE = 2
    BROW = 3
    EAR = 4
    NECK = 5
    MOUTH_INNER = 6
    NOSTRIL = 7
    SCALP = 8
    NOSE = 9
    EYELID = 10
    TEETH = 11


@dataclass(frozen=True, eq=False)
class MorphableModel:
    """A linear face model of N vertices and T triangles.

    Frame: model frame (right-handed, x right, y up, z to the camera), micrometre-like, so that a face is about
    1.5e5 wide. A surface is ``mean + shape_basis @ shape + expression_basis @ expression``, where the
    coefficients are raw: already multiplied by their sigma.

    Attributes:
        name: the name in configs and results.
        licence: terms under which the model may be used.
        mean: (N, 3) float32.
        shape_basis, shape_sigma: (N, 3, Ks) float32 and (Ks,) standard deviations of the raw coefficients,
            NaN where the model does not know them.
        expression_basis, expression_sigma: (N, 3, Ke) float32 and (Ke,).
        triangles: (T, 3) int32, counter-clockwise seen from outside.
        keypoints: (68,) int32 vertex numbers in iBUG order; contour points in model position (not sliding).
        uv: (M, 2) float32 in [0, 1], u right, v up; the chart is one-to-one. (0, 2) where the model's files bring no
            chart; `load_face_model` hands out no such model.
        uv_triangles: (T, 3) int32 rows of ``uv``; row i belongs to ``triangles[i]``.
        face_mask: (N,) bool, the face without ears, neck and scalp.
        albedo_mean, albedo_basis, albedo_sigma: (N, 3) linear RGB in 0..1, (N, 3, Ka), (Ka,); None where unknown.
        regions: (N,) uint8 values of Region.
        expression_floor: (Ke,) smallest raw coefficient that still looks like a face (0 for a mode that only
            works one way: a jaw opens, it does not close through the upper lip); None where both signs are
            natural.
        truncated: the modes are the first ones of a longer model (40 of BFM's 199): coefficients beyond them are
            dropped instead of refused, and what that costs stands beside the figures made with it.
        albedo_floor: (Ka,) as expression_floor, for the albedo coefficients (a beard darkens, it never shines).
        expression_mixture: (Ke, Kz) how independent standard normal causes add up to drawn expression coefficients,
            which are held at their floors (two eyes turn together); None where each coefficient is drawn by itself.
    """

    name: str
    licence: str
    mean: np.ndarray
    shape_basis: np.ndarray
    shape_sigma: np.ndarray
    expression_basis: np.ndarray
    expression_sigma: np.ndarray
    triangles: np.ndarray
    keypoints: np.ndarray
    uv: np.ndarray
    uv_triangles: np.ndarray
    face_mask: np.ndarray
    albedo_mean: np.ndarray | None
    albedo_basis: np.ndarray | None
    albedo_sigma: np.ndarray | None
    regions: np.ndarray
    expression_floor: np.ndarray | None = None
    truncated: bool = False
    albedo_floor: np.ndarray | None = None
    expression_mixture: np.ndarray | None = None

    def __post_init__(self) -> None:
        count = len(self.mean)
        modes = {"shape": self.shape_sigma, "expression": self.expression_sigma}
        expected = {
            "mean": (self.mean, (count, 3)),
            "shape_basis": (self.shape_basis, (count, 3, len(modes["shape"]))),
            "expression_basis": (self.expression_basis, (count, 3, len(modes["expression"]))),
            "triangles": (self.triangles, (len(self.triangles), 3)),
            "keypoints": (self.keypoints, (68,)),
            "uv": (self.uv, (len(self.uv), 2)),
            "uv_triangles": (self.uv_triangles, (len(self.triangles), 3)),
            "face_mask": (self.face_mask, (count,)),
            "regions": (self.regions, (count,)),
        }
        if self.albedo_mean is not None:
            expected["albedo_mean"] = (self.albedo_mean, (count, 3))
        if self.expression_mixture is not None:
            causes = self.expression_mixture.shape[-1]
            expected["expression_mixture"] = (self.expression_mixture, (len(modes["expression"]), causes))
        for field, (array, shape) in expected.items():
            if array.shape != shape:
                raise FacemillError(
                    f"face model {self.name}: {field} should have the shape {shape} and has {array.shape}"
                )
        for field, array, limit in (
            ("triangles", self.triangles, count),
            ("keypoints", self.keypoints, count),
            ("uv_triangles", self.uv_triangles, len(self.uv) or count),
        ):
            if array.size and (array.min() < 0 or array.max() >= limit):
                raise FacemillError(
                    f"face model {self.name}: {field} holds indices from {array.min()} to {array.max()}, "
                    f"expected 0 to {limit - 1}"
                )

    def vertices(self, shape=None, expression=None) -> np.ndarray:
        """The surface for raw coefficients, (N, 3) float64 in the model frame.

        Vectors may be shorter than the basis (the rest is zero) or longer if what is beyond it is zero, as
        300W-LP pads Shape_Para to 199 and Exp_Para to 29. A truncated model drops what is beyond it. The products
        are made in single precision, 40 times faster and right to a hundredth of a micrometre.

        Raises:
            FacemillError: a coefficient beyond the basis is not zero, and the model is not truncated.
        """
        surface = self.mean.astype(np.float64)
        for what, basis, given in (
            ("shape", self.shape_basis, shape),
            ("expression", self.expression_basis, expression),
        ):
            if given is not None:
                coefficients = self._coefficients(what, np.ravel(given)[None], basis.shape[2])[0]
                flat = basis.reshape(-1, basis.shape[2])[:, : len(coefficients)]
                surface += (flat @ coefficients.astype(np.float32)).reshape(-1, 3)
        return surface

    def batch_vertices(self, shape=None, expression=None) -> np.ndarray:
        """Surfaces for (B, K) raw coefficients by one matrix product per basis, (B, N, 3) float64."""
        given = [np.atleast_2d(c) for c in (shape, expression) if c is not None]
        if not given:
            raise FacemillError(
                "batch_vertices needs shape or expression coefficients of shape (B, K), got none"
            )
        surfaces = np.broadcast_to(
            self.mean.astype(np.float64).ravel(), (len(given[0]), self.mean.size)
        ).copy()
        for what, basis, rows in (
            ("shape", self.shape_basis, shape),
            ("expression", self.expression_basis, expression),
        ):
            if rows is not None:
                coefficients = self._coefficients(what, np.atleast_2d(rows), basis.shape[2])
                surfaces += coefficients @ basis.reshape(-1, basis.shape[2])[:, : coefficients.shape[1]].T
        return surfaces.reshape(-1, *self.mean.shape)

    def landmarks(self, shape=None, expression=None) -> np.ndarray:
        """The 68 landmarks of a surface, (68, 3) float64 in the model frame, without computing the rest."""
        points = self.mean[self.keypoints].astype(np.float64)
        for what, basis, given in (
            ("shape", self.shape_basis, shape),
            ("expression", self.expression_basis, expression),
        ):
            if given is not None:
                coefficients = self._coefficients(what, np.ravel(given)[None], basis.shape[2])[0]
                points += basis[self.keypoints][:, :, : len(coefficients)] @ coefficients
        return points

    def draw_shape(self, rng: np.random.Generator, scale: float = 1.0) -> np.ndarray:
        """Raw shape coefficients (Ks,) of a random identity: normal, cut at 2.5 sigma."""
        return _draw(rng, self.shape_sigma * scale, None)

    def draw_expression(self, rng: np.random.Generator, scale: float = 1.0) -> np.ndarray:
        """Raw expression coefficients (Ke,) at random: normal, cut at 2.5 sigma; one-way modes half-normal.

        With a mixture its causes are drawn, and what they add up to is held at the floors.
        """
        if self.expression_mixture is None:
            return _draw(rng, self.expression_sigma * scale, self.expression_floor)
        causes = np.full(self.expression_mixture.shape[1], scale)
        drawn = self.expression_mixture @ _draw(rng, causes, None)
        return drawn if self.expression_floor is None else np.maximum(drawn, self.expression_floor)

    def draw_albedo(self, rng: np.random.Generator, scale: float = 1.0) -> np.ndarray:
        """Raw albedo coefficients (Ka,) at random: normal, cut at 2.5 sigma; one-way modes half-normal.

        Raises:
            FacemillError: the model has no albedo modes.
        """
        if self.albedo_sigma is None:
            raise FacemillError(f"face model {self.name} has no albedo modes; give the colours yourself")
        return _draw(rng, self.albedo_sigma * scale, self.albedo_floor)

    def albedo(self, coefficients) -> np.ndarray:
        """Linear RGB (N, 3) in 0..1 for raw albedo coefficients.

        Raises:
            FacemillError: the model has no albedo modes, or a coefficient beyond them is not zero.
        """
        if self.albedo_mean is None or self.albedo_basis is None:
            raise FacemillError(f"face model {self.name} has no albedo modes; give the colours yourself")
        rows = np.ravel(coefficients)[None]
        known = self._coefficients("albedo", rows, self.albedo_basis.shape[2])[0]
        return np.clip(self.albedo_mean + self.albedo_basis[:, :, : len(known)] @ known, 0.0, 1.0)

    def _coefficients(self, what: str, rows: np.ndarray, modes: int) -> np.ndarray:
        rows = np.asarray(rows, dtype=np.float64)
        beyond = np.flatnonzero(rows[:, modes:].any(axis=0))
        if len(beyond) and not self.truncated:
            raise FacemillError(
                f"face model {self.name} has {modes} {what} modes; coefficient {modes + beyond[0]} of "
                f"{rows.shape[1]} is not zero. Use the model that the parameters were made with"
            )
        return rows[:, :modes]


def _draw(rng: np.random.Generator, sigma: np.ndarray, floor: np.ndarray | None) -> np.ndarray:
    if not np.isfinite(sigma).all():
        raise FacemillError(
            "expected a face model that knows its deviations, found NaN; nothing can be drawn from it"
        )
    drawn = np.clip(rng.standard_normal(len(sigma)), -2.5, 2.5) * sigma
    return drawn if floor is None else np.where(drawn < floor, np.abs(drawn), drawn)
