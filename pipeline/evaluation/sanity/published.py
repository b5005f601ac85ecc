"""Predictions that others published, from a folder in the layout of the shared data package, and their known figures.

Files, below the folder: `aflw2000-dev/images` (pictures with .mat), `aflw2000-dev/labels.npz`,
`aflw2000-dev/reference/outputs.npz` (parameters of 2DASL and of 3DDFA_V2's mb05), `dense40/predictions.npz` (meshes of
2DASL, 3DDFA and PRNet), `dense40/gt_trunc_dev.npz` (the names of the eight pictures with dense truth),
`bfm/bfm_sim.npz`, `prnet-uv/prnet_uv.npz`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import yaml

from pipeline.evaluation import protocols
from pipeline.evaluation.chart import Chart, read_texels
from pipeline.evaluation.given import of_arrays
from pipeline.evaluation.report import figures
from pipeline.evaluation.sanity.row import Row
from pipeline.evaluation.score import score_given
from pipeline.evaluation.shapes import Shape
from pipeline.evaluation.truth import Truth
from pipeline.evaluation.truths import of_dataset, only
from pipeline.io.arrays import read_npz
from pipeline.morphable import load_face_model
from pipeline.records import FacemillError
from pipeline.registry import DATASETS

FIGURES = Path(__file__).with_name("published.yaml")
TOLERANCE = 0.005
TRUNCATED = "dense truth of 40 + 10 of the annotation's 199 + 29 modes: truncated"


def rows(folder: Path) -> Iterator[Row]:
    """A row for every known figure; FacemillError names a file of the package that is not there."""
    package = _Package(folder)
    for entry in yaml.safe_load(FIGURES.read_text(encoding="utf-8")):
        protocol = protocols.load(entry["protocol"])
        truths = package.dense if entry.get("pictures") == "dense" else package.truths
        scores, _ = score_given(package.shapes[entry["predictions"]], truths, [protocol])
        found = figures(scores, protocol)
        note = (
            TRUNCATED
            if protocol.measure.kind == "points" and protocol.measure.points != "landmarks68"
            else ""
        )
        for name, expected in entry["figures"].items():
            case = f"{entry['predictions']}, {len(truths)} pictures, {name}"
            yield Row("published", protocol.id, case, float(expected), _figure(found, name), TOLERANCE, note)


def _figure(found: Mapping, name: str) -> float | None:
    if name not in found["bins"]:
        return found[name]
    return None if found["bins"][name] is None else found["bins"][name]["mean"]


class _Package:
    """The package's truths, and its predictions as shapes by picture."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "aflw2000-dev" / "labels.npz").is_file():
            raise FacemillError(
                f"{folder}: expected aflw2000-dev/labels.npz and the other files of the data package, found none; "
                "give its folder with --data, or set evaluation.published to null for the other cases alone"
            )
        self._folder = folder
        model = load_face_model("npz", folder / "bfm/bfm_sim.npz")
        self._chart = Chart(model, read_texels(folder / "prnet-uv/prnet_uv.npz"))

    @cached_property
    def truths(self) -> list[Truth]:
        """The 400 pictures."""
        return of_dataset(DATASETS["aflw2000_3d"](), self._folder / "aflw2000-dev", self._chart)

    @cached_property
    def dense(self) -> list[Truth]:
        """The eight pictures with published meshes."""
        return only(self.truths, self._texts("dense40/gt_trunc_dev.npz"), "dense40/gt_trunc_dev.npz")

    @cached_property
    def shapes(self) -> dict[str, dict[str, Shape]]:
        """Predictions by the names that published.yaml has for them."""
        labels, stored = (
            self._arrays("aflw2000-dev/labels.npz"),
            self._arrays("aflw2000-dev/reference/outputs.npz"),
        )
        meshes = self._arrays("dense40/predictions.npz")
        names, names40 = labels["names"], meshes["names"]
        crop = {"names": names, "roi_box": labels["roi_box"]}
        cameras = np.zeros((len(self.truths), 62))
        cameras[:, :12] = [truth.shape.annotation.matrix.ravel() for truth in self.truths]
        whole = np.tile([0.0, 0.0, 120.0, 120.0], (len(cameras), 1))
        given = {
            "dasl": {**crop, "params62": stored["dasl_params"], "convention": "3ddfa"},
            "mb05_stored": {**crop, "params62": stored["mb05_params_storedcrop"], "convention": "3ddfa_v2"},
            "mb05_truth": {
                "names": names,
                "params62": stored["mb05_params_gtroi"],
                "roi_box": stored["mb05_gtroi"],
                "convention": "3ddfa_v2",
            },
            "original": {"names": names, "pts68": labels["pts68"], "origin": 1},
            "reannotated": {"names": names, "pts68": labels["pts68_re"], "origin": 0},
            "rotations": {
                "names": np.array([truth.picture for truth in self.truths]),
                "params62": cameras,
                "roi_box": whole,
                "convention": "exact",
            },
            "dasl_meshes": {"names": names40, "params62": meshes["dasl"], "origin": 1},
            "ddfa_meshes": {"names": names40, "params62": meshes["ddfa"], "origin": 1},
            "prnet_meshes": {"names": names40, "vertices": meshes["prnet_q64"] / 64.0, "origin": 0},
        }
        return {name: of_arrays(arrays, self._folder, self._chart) for name, arrays in given.items()}

    def _arrays(self, name: str) -> dict[str, np.ndarray]:
        return read_npz(self._folder / name, ("names",))

    def _texts(self, name: str) -> list[str]:
        return [str(found) for found in self._arrays(name)["names"]]
