"""The files of weights that others have published for detection: names, addresses, and where torch keeps them.

The names are those that face-alignment looks for in torch's cache; ten hex digits in a name are the beginning of the
file's sha256. Nothing is downloaded here (spec landmarks 2.3).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.io.sources import TORCH_CACHE, sources, torch_cache


@dataclass(frozen=True)
class Published:
    """A published file: its name in the cache and its address."""

    name: str
    url: str

    @property
    def digits(self) -> str | None:
        """How the file's sha256 begins; None where the name does not say."""
        found = re.search(r"-([0-9a-f]{8,})\.", self.name)
        return found and found[1]

    @property
    def cached(self) -> str:
        """Its path in torch's cache, environment variables unexpanded."""
        return f"{torch_cache()}/{self.name}"

    def command(self, path: str | Path) -> str:
        """What to type to have it at ``path``; in torch's cache the verb puts it there too."""
        curl = f"curl -L --create-dirs -o {path} {self.url}"
        if Path(path) != Path(os.path.expandvars(self.cached)):
            return curl
        source = next(name for name, file in FILES.items() if file.name == self.name)
        return f"{curl} (or: python -m pipeline data fetch {source})"


FILES = {
    row.id: Published(row.name, row.address)
    for row in sources().values()
    if row.file.startswith(f"{TORCH_CACHE}/")
}
"""By the ids of `pipeline/datasets/sources.tsv`."""

LIBRARY_DETECTORS = {
    "sfd": ("sfd",),
    "blazeface": ("blazeface", "blazeface_anchors"),
    "blazeface_back": ("blazeface_back", "blazeface_back_anchors"),
    "yunet": ("yunet",),
    "scrfd": ("scrfd",),
    "retinaface": ("retinaface",),
    "dlib": ("dlib",),
}
"""face-alignment's detectors by our names, and the files that each reads (dlib on a GPU only)."""
BOXED = ("boxes", "faceboxes", *LIBRARY_DETECTORS)
"""The detectors that find landmarks with FAN."""


def fan_file(landmarks: str) -> Published:
    """The published FAN that draws these landmarks: "2d" the visible contour, else projections of 3D points."""
    return FILES["2dfan" if landmarks == "2d" else "3dfan"]


def detector_files(detector: str, weights: str, device: str) -> list[str]:
    """The files that one of the library's detectors reads, environment variables unexpanded: of torch's cache for
    ``weights`` "library", else the path itself and what belongs beside it."""
    files = [FILES[name] for name in LIBRARY_DETECTORS[detector]]
    if detector == "dlib" and device != "cuda":
        return []
    if weights == "library":
        return [file.cached for file in files]
    return [weights, *(str(Path(weights).with_name(file.name)) for file in files[1:])]


def absent(path: str | Path) -> str:
    """What to say of a published file that is not at ``path`` (unexpanded or not); empty for other files."""
    place = Path(os.path.expandvars(path))
    for file in FILES.values():
        if file.name == place.name:
            return f"expected {file.name} in {place.parent}; found none. Type: {file.command(place)}"
    return ""
