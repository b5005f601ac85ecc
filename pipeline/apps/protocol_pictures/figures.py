"""Pictures of what many scores come to, of decoded angles, and of volumes that overlap."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure

from pipeline.apps.protocol_pictures.canvas import FOUND, LETTERS, QUIET, THIRD, TRUE, note, panels
from pipeline.apps.protocol_pictures.head import Head, posed
from pipeline.evaluation import protocols
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.protocols import Protocol
from pipeline.evaluation.truth import Truth
from pipeline.geometry.euler import decode_angles, nearest_rotation, rotation_from_angles
from pipeline.geometry.frames import CropTransform
from pipeline.geometry.volume import place_depth, voxelize
from pipeline.metrics.ced import ced
from pipeline.metrics.summary import YAW_BINS, summarise
from pipeline.registry import FRAMES
from pipeline.targets.volume import WIDTH, face_mesh

COUNTS = (1312, 383, 305)
"""Pictures of AFLW2000-3D in the bins of the fitted yaw."""
RISE, LEAST, SPREAD = 0.035, 2.0, 0.35
"""Of errors that are drawn by chance: per cent a degree of yaw, per cent at 0, deviation of their logarithm."""
LIMIT, FAILED = 10.0, 0.08
"""Right end of the error curve, and the share of its second model's pictures without a prediction."""
REACH, ROLLS = 120, (0.0, 30.0)
"""Degrees that the maps of the decode reach, and their rolls."""
STEPS = (0, 1, 2, 5, 10, 20, 40, 90)
"""Degrees of error that a colour ends at."""
SHOWN = (50, 160), (10, 134)
"""Columns and depths of the volume that the picture shows."""


def means(chart: Chart) -> Figure:
    """Two means of the same scores, and an error curve that never reaches 1 because pictures have failed."""
    random = np.random.default_rng(0)
    bounds = [0.0, *YAW_BINS.values()]
    yaw = np.concatenate(
        [random.uniform(low, high, n) for low, high, n in zip(bounds[:-1], bounds[1:], COUNTS, strict=True)]
    )
    errors = (LEAST + RISE * yaw) * np.exp(SPREAD * random.standard_normal(len(yaw)))
    found = summarise(errors, yaw, np.zeros(len(yaw), bool), 100.0)
    figure, (left, right) = panels(["errors by yaw, and two means", "error curve"], 640)
    left.scatter(yaw[::4], errors[::4], 12, QUIET, alpha=0.6, linewidths=0)
    for (low, high), entry in zip(pairwise(bounds), found["bins"].values(), strict=True):
        left.plot([low, high], [entry["mean"]] * 2, color="black", linewidth=4)
        note(left, (low + high) / 2, 8.6, f"{entry['n']}", QUIET, ha="center")
    for name, colour in (("balanced", FOUND), ("plain", THIRD)):
        left.axhline(found[name], color=colour, linewidth=4)
        side = 1 if name == "balanced" else -1
        words = f"{name} {found[name]:.2f}"
        note(
            left, 89, found[name] + side * 0.15, words, colour, ha="right", va={1: "bottom", -1: "top"}[side]
        )
    left.set(xlim=(0, 90), ylim=(0, 9.4), xticks=bounds, xlabel="yaw, degrees", ylabel="error, %")
    lost = random.random(len(yaw)) < FAILED
    for values, failed, colour in ((errors, ~np.ones(len(yaw), bool), THIRD), (0.85 * errors, lost, FOUND)):
        x, y = ced(values, failed, LIMIT)
        right.step(x, y, where="post", color=colour, linewidth=4)
    right.axhline(1 - FAILED, color=QUIET, linewidth=2, linestyle="--")
    note(right, LIMIT, 1 - FAILED - 0.04, f"{FAILED:.0%} failed", FOUND, ha="right", va="top")
    note(right, LIMIT, 1 - FAILED - 0.14, "all found", THIRD, ha="right", va="top")
    right.set(xlim=(0, LIMIT), ylim=(0, 1.02), xlabel="error, %", ylabel="share of pictures")
    return figure


def pose(chart: Chart) -> Figure:
    """Error of the yaw that SynergyNet's decode reads off perfect rotations, by yaw and pitch; pale: left out."""
    beyond = protocols.load("head_pose_synergynet").exclude_beyond
    titles = [f"yaw error, roll {roll:g}" for roll in ROLLS]
    figure, axes = panels(titles, 640)
    colours = ListedColormap(["#ffffff", "#fde3c8", "#fbc08d", "#f5935a", "#dd5a3b", "#a92a2a", "#5c1020"])
    degrees = np.linspace(-REACH, REACH, 2 * REACH + 1)
    yaw, pitch = np.meshgrid(degrees, degrees)
    for axis, roll in zip(axes, ROLLS, strict=True):
        rotation = rotation_from_angles(np.radians(pitch), np.radians(yaw), np.radians(roll))
        errors = np.abs(np.degrees(decode_angles(rotation, "synergynet")[..., 1]) - yaw)
        drawn = axis.pcolormesh(
            yaw, pitch, errors, cmap=colours, norm=BoundaryNorm(STEPS, len(STEPS) - 1, clip=True)
        )
        inside = (np.abs(yaw) <= beyond) & (np.abs(pitch) <= beyond)
        axis.contourf(yaw, pitch, ~inside, levels=[0.5, 1.5], colors=["white"], alpha=0.55)
        axis.plot(*(beyond * np.array([[-1, 1, 1, -1, -1], [-1, -1, 1, 1, -1]])), color="black", linewidth=3)
        axis.set(xticks=(-90, 0, 90), yticks=(-90, 0, 90), xlabel="yaw", aspect="equal")
    axes[0].set_ylabel("pitch")
    bar = figure.colorbar(drawn, ax=axes, shrink=0.9)
    bar.set_ticks(STEPS)
    bar.ax.tick_params(labelsize=LETTERS - 3)
    return figure


def volume(chart: Chart) -> Figure:
    """A true and a predicted head as volumes of both kinds, cut at the nose, seen from above."""
    truth, predicted = posed(chart, yaw=20.0), posed(chart, yaw=35.0)
    chosen = [protocols.load(name) for name in ("volume_iou", "volume_iou_backfill")]
    scores = [protocol.score(predicted.shape, Truth("", truth.shape)) for protocol in chosen]
    titles = [f"{one.measure.variant}: {score:.2f}" for one, score in zip(chosen, scores, strict=True)]
    figure, axes = panels(titles, 560)
    crop = FRAMES["fan192"].from_landmarks(truth.landmarks).resized(WIDTH)
    row = round(crop.apply(truth.landmarks)[30, 1])
    palette = np.array([[1, 1, 1], _rgb(THIRD), _rgb(FOUND), _rgb(TRUE)])
    for axis, protocol in zip(axes, chosen, strict=True):
        true, found = (_section(head, protocol, crop, row) for head in (truth, predicted))
        axis.imshow(palette[true + 2 * found], interpolation="nearest", origin="lower")
        axis.set(xlim=SHOWN[0], ylim=SHOWN[1])
        axis.set_axis_off()
    for words, colour, y in (("both", TRUE, 4), ("truth alone", THIRD, 14), ("prediction alone", FOUND, 24)):
        note(axes[0], SHOWN[0][1], SHOWN[1][0] + y, words, colour, ha="right")
    return figure


def _section(head: Head, protocol: Protocol, crop: CropTransform, row: int) -> np.ndarray:
    """(depth, width) of 0 and 1: one row of the head's volume as the protocol fills it."""
    measure = protocol.measure
    _, closure = face_mesh(head.chart.model)
    placed = place_depth(crop.apply(head.shape.vertices("face")), measure.depth_scale)
    rotation = nearest_rotation(head.shape.camera())[1]
    filled = voxelize(
        placed,
        closure.triangles,
        measure.variant,
        rotation=rotation,
        depth_scale=measure.depth_scale,
        closure=closure,
    )
    return filled.dense()[:, row].astype(int)


def _rgb(colour: str) -> list[float]:
    return [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
