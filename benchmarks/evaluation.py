"""Time and memory of the evaluator's arithmetic on one core, each figure beside its limit. The exit code is 1 when one
is missed.

    python -m benchmarks.evaluation [--predictions 2000] [--repeats 3]

Scoring: predictions of 53,215 vertices, float32 and made one by one, by the NME in 2D and in 3D; making them is not
timed. Where FACEMILL_DATA names the shared data, the same through the command line: `score` with a file of that many
meshes of the BFM against a file of parameters, under vertices_2d and vertices_3d, with all that it reads and prints.
ICP: 43,867 against 53,215 points on two procedural faces, and PRNet's canonical face against the BFM where
FACEMILL_DATA names the shared data; from the landmarks' similarity, and from one turned away from it. The plain loop
of scipy's k-d tree runs beside it, by turns. Times are of the processor, the best of the repeats. About two minutes.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from benchmarks.limits import Limit
from pipeline.geometry.euler import rotation_from_angles
from pipeline.geometry.registration import Registration, icp
from pipeline.geometry.similarity import Similarity, umeyama
from pipeline.metrics.alignment import z_min
from pipeline.metrics.normalisers import box_size
from pipeline.metrics.points import nme
from pipeline.metrics.scan import scan_to_mesh
from pipeline.morphable import MorphableModel, load_face_model

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
VERTICES, CLOUD, SCAN = 53_215, 43_867, 20_000
PIXEL = 1200.0  # micrometres of a face in a picture of 450 px
TURN = np.radians([8.0, -8.0, 4.0])


@dataclass(frozen=True)
class Clouds:
    """Two clouds to register, and the similarity of their landmarks."""

    name: str
    moving: np.ndarray
    fixed: np.ndarray
    start: Similarity

    def turned(self) -> Clouds:
        """The same from a start that is turned away about the fixed cloud's centre."""
        turn, centre = rotation_from_angles(*TURN), self.fixed.mean(axis=0)
        start = Similarity(
            self.start.scale, turn @ self.start.rotation, turn @ (self.start.translation - centre) + centre
        )
        return Clouds(f"{self.name} turned", self.moving, self.fixed, start)


def plain_icp(
    moving: np.ndarray, fixed: np.ndarray, start: Similarity, iterations: int = 50, tolerance: float = 1e-5
) -> Registration:
    """The plain loop that `icp` is measured against: every round asks scipy's k-d tree for every point."""
    tree, motion = cKDTree(moving), start

    def query() -> tuple[np.ndarray, np.ndarray]:
        distances, nearest = tree.query(motion.inverse().apply(fixed))
        return distances * motion.scale, nearest

    distances, nearest = query()
    rounds, converged = 0, False
    while rounds < iterations and not converged:
        rounds += 1
        step = umeyama(motion.scale * moving[nearest], fixed, with_scale=False)
        motion = Similarity(motion.scale, step.rotation, step.translation)
        before = distances.mean()
        distances, nearest = query()
        converged = bool(before - distances.mean() <= tolerance * before)
    return Registration(motion, nearest, distances, rounds, converged)


def on_surface(
    vertices: np.ndarray, triangles: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Random points (count, 3) of a mesh, as many for each area, in the order of its triangles."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    rows = np.sort(rng.choice(len(triangles), count, p=area / area.sum()))
    v, w = rng.random((2, count, 1))
    v, w = np.where(v + w > 1, 1 - v, v), np.where(v + w > 1, 1 - w, w)
    return a[rows] + v * (b - a)[rows] + w * (c - a)[rows]


def procedural_clouds(model: MorphableModel) -> Clouds:
    """The faces, in pixels, of two people who are much alike, as a good prediction and its truth are."""
    rng = np.random.default_rng(0)
    true, other = (model.draw_shape(rng) for _ in range(2))
    guess = 0.8 * true + 0.2 * other
    face = model.triangles[model.face_mask[model.triangles].all(axis=1)]
    return Clouds(
        "procedural",
        on_surface(model.vertices(guess) / PIXEL, face, CLOUD, rng),
        on_surface(model.vertices(true) / PIXEL, face, VERTICES, rng),
        umeyama(model.landmarks(guess) / PIXEL, model.landmarks(true) / PIXEL),
    )


def real_clouds(data: Path) -> Clouds:
    """PRNet's canonical face (y down) against the BFM's mean."""
    chart, bfm = np.load(data / "prnet-uv" / "prnet_uv.npz"), np.load(data / "bfm" / "bfm_sim.npz")
    moving = chart["canonical_vertices"] * np.array([1.0, -1.0, 1.0])
    fixed = bfm["u"].astype(np.float64).reshape(-1, 3)
    columns, rows = chart["uv_kpt_ind"]
    landmarks = np.searchsorted(chart["face_ind"], 256 * rows + columns)
    start = umeyama(moving[landmarks], fixed[bfm["keypoints"].astype(np.int64)])
    return Clouds("PRNet and BFM", moving, fixed, start)


def of_command(data: Path, predictions: int) -> Iterator[Limit]:
    """``score`` as a process of its own, by its processor time (scaled to 2,000) and its largest memory."""
    bfm = np.load(data / "bfm" / "bfm_sim.npz")
    mean = bfm["u"].reshape(-1, 3).astype(np.float32)
    rng = np.random.default_rng(0)
    names = np.array([f"face{k}" for k in range(predictions)])
    scale, middle = 1 / PIXEL, 225.0
    parameters = np.zeros((predictions, 62))
    parameters[:, [0, 10]], parameters[:, 5], parameters[:, [3, 7]] = scale, -scale, middle
    placed = mean * np.float32([scale, -scale, scale]) + np.float32([middle, middle, 0])
    meshes = placed + rng.normal(0, 2, (predictions, 1, 3)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        truth, given = Path(folder, "truth.npz"), Path(folder, "given.npz")
        np.savez(truth, names=names, params62=parameters, yaw_deg=rng.uniform(0, 90, predictions))
        np.savez(given, names=names, vertices=meshes)
        del meshes
        command = [
            sys.executable,
            "-m",
            "pipeline",
            "score",
            "--truth",
            str(truth),
            "--predictions",
            str(given),
        ]
        command += ["--protocol", "vertices_2d", "--protocol", "vertices_3d", "--set", "face_model.id=npz"]
        command += ["--set", f"face_model.path={data}/bfm/bfm_sim.npz"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = (spent.ru_utime + spent.ru_stime) * 2000 / predictions
    yield Limit("score, 2,000 predictions of 53,215 vertices in 2D and 3D, s", seconds, 60)
    yield Limit(f"score, {predictions:,} of them, GB", spent.ru_maxrss / 1024**2, 4)


def of_icp(clouds: Clouds, repeats: int) -> Iterator[Limit]:
    """ICP and the plain loop, by turns."""
    times: dict[str, list[float]] = {"icp": [], "plain": []}
    for _ in range(repeats):
        spent, found = timed(lambda: icp(clouds.moving, clouds.fixed, initial=clouds.start))
        times["icp"].append(spent)
        spent, plain = timed(lambda: plain_icp(clouds.moving, clouds.fixed, clouds.start))
        times["plain"].append(spent)
    own, other = min(times["icp"]), min(times["plain"])
    what = f"ICP, {clouds.name}"
    yield Limit(f"{what}, s ({found.iterations} rounds)", own, 1.5)
    yield Limit(f"{what}, ms a round", 1000 * own / found.iterations, 60.0)
    yield Limit(f"{what}, plain loop over it", other / own, least=2.0)
    yield Limit(f"{what}, difference", difference(found, plain), 1e-6)


def difference(found: Registration, plain: Registration) -> float:
    """The most by which two registrations differ in the distance of a point; infinite where their rounds differ."""
    if found.iterations != plain.iterations:
        return float("inf")
    return float(np.abs(found.distances - plain.distances).max())


def of_scoring(model: MorphableModel, predictions: int) -> Iterator[Limit]:
    """NME in 2D and 3D by the box of the vertices compared, face by face."""
    rng = np.random.default_rng(0)
    head = on_surface(model.mean / PIXEL, model.triangles, VERTICES, rng)
    spent, sums = 0.0, np.zeros(2)
    for _ in range(predictions):
        turn = rotation_from_angles(*rng.normal(0, 0.3, 3)).T
        truth = (head @ turn + [225, 225, 0]).astype(np.float32)
        predicted = truth + rng.normal(0, 3, truth.shape).astype(np.float32)
        took, scores = timed(lambda truth=truth, predicted=predicted: score(predicted, truth))
        spent += took
        sums += scores
    flat, solid = sums / predictions
    per = 2000 / predictions
    yield Limit("scoring 2,000 predictions in 2D and 3D, s", per * spent, 60.0)
    yield Limit("scoring, peak memory of this process, GB", peak(), 4.0)
    print(f"{predictions} predictions scored: mean NME {flat:.3f} % in 2D, {solid:.3f} % in 3D")


def score(predicted: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """NME of (N, 3) vertices in 2D, and in 3D with the depth of each set from its rearmost point."""
    size = box_size(truth)
    return float(nme(predicted[:, :2], truth[:, :2], size)), float(nme(*z_min(predicted, truth), size))


def of_scan(model: MorphableModel, repeats: int) -> Iterator[Limit]:
    """A scan of 20,000 noisy points of the head against the mesh."""
    rng = np.random.default_rng(0)
    vertices = model.mean / PIXEL
    scan = on_surface(vertices, model.triangles, SCAN, rng) + rng.normal(0, 1.5, (SCAN, 3))
    spent = min(timed(lambda: scan_to_mesh(scan, vertices, model.triangles))[0] for _ in range(repeats))
    yield Limit(f"{SCAN} scan points to {len(model.triangles)} triangles, s", spent, 1.0)


def timed(call: Callable[[], object]) -> tuple[float, object]:
    """Seconds of the processor that a call takes, and what it returns."""
    start = time.process_time()
    out = call()
    return time.process_time() - start, out


def peak() -> float:
    """The most memory that this process has had, GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def judge(predictions: int, repeats: int) -> int:
    """Print every limit; how many are missed."""
    model = load_face_model("procedural", None)
    found: list[Limit] = []

    def show(limits: Iterator[Limit]) -> None:
        for limit in limits:
            print(limit, flush=True)
            found.append(limit)

    show(of_scoring(model, predictions))
    pairs = [procedural_clouds(model)]
    if data := os.environ.get("FACEMILL_DATA"):
        show(of_command(Path(data), predictions))
        pairs.append(real_clouds(Path(data)))
    else:
        print("no real clouds; type: export FACEMILL_DATA=<the shared data>")
    for clouds in pairs:
        show(of_icp(clouds, repeats))
        show(of_icp(clouds.turned(), repeats))
    show(of_scan(model, repeats))
    missed = sum(not limit.kept for limit in found)
    print(f"{len(found)} limits, {missed} missed")
    return missed


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge with one thread: the libraries read how many when they are loaded, so another process may be needed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--predictions", type=int, default=2000, help="how many are scored; time is scaled to 2,000"
    )
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(arguments)
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        command = [sys.executable, "-m", "benchmarks.evaluation", *(arguments or sys.argv[1:])]
        return subprocess.run(command, env={**os.environ, **ONE_THREAD}, check=False).returncode
    return int(judge(options.predictions, options.repeats) > 0)


if __name__ == "__main__":
    sys.exit(main())
