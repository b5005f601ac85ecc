"""The published folder layouts of scans, and the landmark files beside them (docs/scans.md says how sure each is)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.io.files import expand
from pipeline.io.meshes import SUFFIXES
from pipeline.records import FacemillError

if TYPE_CHECKING:
    from pipeline.config import ScanSettings

LANDMARKS = ".bnd"


@dataclass(frozen=True)
class Scan:
    """One scan: who it is, its name among that person's scans, and its file below the data set's root."""

    identity: str
    name: str
    path: str


def list_scans(settings: ScanSettings, root: Path) -> list[Scan]:
    """Every scan that the settings ask for, by identity and name, without those of ``skip``.

    FacemillError when the folder is missing or has none in the layout, for a skipped identity that is not there, and
    for two scans of one name.
    """
    if not root.is_dir():
        raise FacemillError(f"no folder of scans {root}; set datasets.<name>.scans.root to it")
    found, expected = _LAYOUTS[settings.kind](settings, root)
    if not found:
        raise FacemillError(f"{root}: expected scans of kind {settings.kind} as {expected}, found none")
    if unknown := sorted(set(settings.skip) - {scan.identity for scan in found}):
        raise FacemillError(f"{root}: scans.skip names {', '.join(unknown)}, of which there is no scan")
    kept = sorted(
        (scan for scan in found if scan.identity not in settings.skip),
        key=lambda scan: (scan.identity, scan.name),
    )
    if not kept:
        raise FacemillError(f"{root}: scans.skip leaves none of {len(found)} scans")
    for one, other in pairwise(kept):
        if (one.identity, one.name) == (other.identity, other.name):
            raise FacemillError(
                f"{root}: {one.path} and {other.path} would both be {one.identity}/{one.name}; rename one of them"
            )
    return kept


def _florence(settings: ScanSettings, root: Path) -> tuple[list[Scan], str]:
    """subject_XX/Model/<view>/obj/*.obj: of each subject the first view that it has, and one mesh in it."""
    found = []
    for subject in sorted(path for path in root.glob("subject_*") if path.is_dir()):
        for view in settings.views:
            meshes = sorted((subject / "Model" / view / "obj").glob("*.obj"))
            if len(meshes) > 1:
                raise FacemillError(
                    f"{meshes[0].parent}: expected one .obj, found {', '.join(mesh.name for mesh in meshes)}"
                )
            if meshes:
                found.append(Scan(subject.name, view, meshes[0].relative_to(root).as_posix()))
                break
    return found, f"subject_XX/Model/{settings.views[0]}/obj/*.obj"


def _bu4dfe(settings: ScanSettings, root: Path) -> tuple[list[Scan], str]:
    """<F|M>NNN/<Expression>/NNN.wrl: of each sequence one scan."""
    found = []
    for expression in settings.expressions:
        for folder in sorted(root.glob(f"[FM][0-9]*/{expression}")):
            frames = sorted(folder.glob("*.wrl"))
            if settings.frame is not None:
                frames = [path for path in frames if path.stem.isdigit() and int(path.stem) == settings.frame]
            if frames:
                path = frames[len(frames) // 2]
                found.append(
                    Scan(folder.parent.name, f"{expression}_{path.stem}", path.relative_to(root).as_posix())
                )
    return found, f"F001/{settings.expressions[0]}/000.wrl"


def _generic(settings: ScanSettings, root: Path) -> tuple[list[Scan], str]:
    """Any mesh at any depth; the first folder is the identity, at the top of the root the file's own name is."""
    found = []
    for path in sorted(
        path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()
    ):
        relative = path.relative_to(root).with_suffix("")
        name = "_".join(relative.parts[1:]) or relative.name
        found.append(Scan(relative.parts[0], name, path.relative_to(root).as_posix()))
    return found, f"*{'|'.join(SUFFIXES)}"


_LAYOUTS = {"florence": _florence, "bu4dfe": _bu4dfe, "generic": _generic}


def scan_landmarks(settings: ScanSettings, root: Path, scan: Scan) -> np.ndarray:
    """(L, 3) float64 landmarks of a scan in its own frame: its .bnd file; no rows where it has none.

    A line is a number and a point (as BU-4DFE's 83 points have it) or a point alone. FacemillError for other lines.
    """
    folder = root if settings.landmarks is None else expand(settings.landmarks)
    path = (folder / scan.path).with_suffix(LANDMARKS)
    if settings.landmarks is not None and not folder.is_dir():
        raise FacemillError(f"no folder of landmarks {folder}; set datasets.<name>.scans.landmarks to it")
    if not path.is_file():
        return np.zeros((0, 3))
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if not line.strip():
            continue
        try:
            values = [float(word) for word in line.split()]
        except ValueError:
            values = []
        if len(values) not in (3, 4) or not np.isfinite(values).all():
            raise FacemillError(
                f"{path}, line {number}: expected x y z, or a number and x y z, found {line.strip()!r}"
            )
        rows.append(values[-3:])
    return np.array(rows, np.float64).reshape(-1, 3)
