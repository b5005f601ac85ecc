"""render_scans: 3D scans -> pictures at the papers' poses, with the scans as truth. One job is a shard of scans."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.config import ScanSettings
from pipeline.datasets.scans.layouts import Scan, list_scans, scan_landmarks
from pipeline.datasets.scans.place import in_picture, place, view
from pipeline.datasets.scans.poses import pose_name, poses_of
from pipeline.datasets.scans.render import draw, look_of
from pipeline.datasets.scans.truth import truth_bytes
from pipeline.io.files import expand, write_bytes
from pipeline.io.images import encode_jpeg
from pipeline.io.meshes import read_mesh
from pipeline.io.tables import write_tsv
from pipeline.records import FacemillError
from pipeline.seeding import rng

MANIFEST_COLUMNS = ("file", "sha256")
_NAME = re.compile(r".+_p[+-][^_]+_y[+-][^_]+_r[+-][^_]+\.(?:jpg|npz)")


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Render one shard, scans index % shards == shard: `outputs` manifest (tsv); `settings` images (the folder for
    <identity>/<scan>_<pose>.jpg and .npz), seed, shards and scans.

    A picture depends on its scan, its pose and the settings, never on the number of shards. A scan that cannot be
    read stops the shard: a benchmark without one of its subjects is another, so that is the user's to say.
    """
    options = ScanSettings.model_validate(settings["scans"])
    shard, shards = int(wildcards["shard"]), int(settings["shards"])
    root, folder = expand(options.root), Path(settings["images"])
    scans = list_scans(options, root)
    _remove_stale(folder, {stem for scan in scans for stem in _stems(scan, options)})
    files = []
    for scan in scans[shard::shards]:
        try:
            made = render(scan, options, root, (settings["seed"], wildcards["dataset"]))
        except FacemillError as error:
            where = f"datasets.{wildcards['dataset']}.scans.skip"
            raise FacemillError(
                f"{error}; or leave {scan.identity} out by {where}: [{scan.identity}]"
            ) from error
        for name, data in made.items():
            write_bytes(folder / name, data)
            files.append((name, hashlib.sha256(data).hexdigest()))
    write_tsv(outputs["manifest"], MANIFEST_COLUMNS, files)


def render(scan: Scan, options: ScanSettings, root: Path, keys: tuple[object, ...]) -> dict[str, bytes]:
    """File name -> bytes of all pictures of a scan and of their truth; ``keys`` seed its backgrounds."""
    landmarks = scan_landmarks(options, root, scan)
    placed = place(read_mesh(root / scan.path), landmarks, options, scan.path)
    look = look_of(placed, options, scan.path)
    made = {}
    for pose, stem in zip(poses_of(options), _stems(scan, options), strict=True):
        seen_from = view(placed, pose, options)
        picture, visible = draw(placed, look, seen_from.camera, options, rng(*keys, stem))
        vertices, shown, tip = (
            in_picture(points, seen_from.camera, options.size).astype(np.float32)
            for points in (placed.mesh.vertices, landmarks, placed.tip[None])
        )
        made[f"{stem}.jpg"] = encode_jpeg(picture, options.jpeg_quality)
        made[f"{stem}.npz"] = truth_bytes(
            vertices=vertices,
            visible=visible,
            region=placed.region,
            landmarks=shown,
            tip=tip[0],
            camera=seen_from.camera,
            pose=seen_from.pose,
            angles=[float(angle) for angle in pose],
            identity=scan.identity,
            scan=scan.path,
            size=options.size,
        )
    return made


def _stems(scan: Scan, options: ScanSettings) -> list[str]:
    """The pictures of a scan without their endings, in the order of the poses."""
    return [f"{scan.identity}/{scan.name}_{pose_name(pose)}" for pose in poses_of(options)]


def _remove_stale(folder: Path, stems: set[str]) -> None:
    """Delete pictures and truth that earlier settings left and these do not make, whatever shard they were of."""
    for path in sorted(folder.glob("*/*")):
        if _NAME.fullmatch(path.name) and path.relative_to(folder).with_suffix("").as_posix() not in stems:
            path.unlink(missing_ok=True)
