"""Photos without annotations: a folder of pictures, a zip of them, a video, or a folder that holds all of these."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pipeline.datasets.base import AnnotationProblem, FaceAnnotation, Picture, every_nth, select
from pipeline.io.containers import ZIP_SUFFIXES, DamagedArchive, encoded, member_names, resource_fork
from pipeline.io.video import VIDEO_SUFFIXES, DamagedVideo, frame_count
from pipeline.records import FacemillError, Reason
from pipeline.registry import DATASETS

PHOTO_SUFFIXES = (
    *(".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff"),
    *(".gif", ".jp2", ".avif", ".heic", ".heif"),
)
"""Files with these names are rows, whether OpenCV can read them or not; other files are not looked at."""
LICENCE = "photos of unknown terms"


@DATASETS.register("photos")
class Photos:
    """Reader of photos: every picture file at any depth, in zips, and every `frame_step`-th frame of videos.

    A picture's id is its address, as `2019/anna.jpg`, `old.zip!anna.jpg`, `clip.mp4@000010`. Frames of one video are
    one group, and so are pictures whose names differ in folder and suffix alone. A zip or a video that cannot be opened
    is one unreadable picture. Videos and zips inside a zip are not looked at. `licence`: of the pictures.
    """

    parameters = False
    annotated = False

    def __init__(self, *, subset: str = "all", every: int = 5, frame_step: int = 1, licence: str = LICENCE):
        self.subset, self.every = subset, every
        self.frame_step, self.licence = frame_step, licence

    def pictures(self, root: Path) -> list[Picture]:
        """Every picture, sorted by file and then inside it; subsets 'train' and 'test' cut by group, the last of every
        `every` sorted groups being the test's."""
        found = list(self._listed(root))
        if not found:
            raise FacemillError(
                f"{root}: expected pictures ({', '.join(PHOTO_SUFFIXES)}), zips of them, or videos "
                f"({', '.join(VIDEO_SUFFIXES)}); found none"
            )
        groups = sorted({group for _, _, group in found})
        test = {group for k, group in enumerate(groups) if self.subset != "all" and every_nth(k, self.every)}
        return select(
            [
                Picture(name, path, "test" if group in test else "train", group, licence=self.licence)
                for name, path, group in found
            ],
            self.subset,
        )

    def annotation(self, path: Path, height: int) -> FaceAnnotation:
        """Photos have none."""
        raise AnnotationProblem(Reason.ANNOTATION_MISSING, "photos have no annotations")

    def _listed(self, root: Path) -> Iterator[tuple[str, str, str]]:
        """Id, path and group of every picture."""
        if root.is_dir():
            files = [path for path in root.rglob("*") if not path.is_dir()]
            for path in sorted(files, key=lambda path: path.relative_to(root).as_posix()):
                name = path.relative_to(root).as_posix()
                if resource_fork(name):
                    continue
                if path.suffix.lower() in PHOTO_SUFFIXES:
                    yield encoded(name), encoded(name), PurePosixPath(encoded(name)).stem
                for inside, group in self._inside(path, encoded(name), strict=False):
                    yield f"{encoded(name)}{inside}", f"{encoded(name)}{inside}", group
        elif root.suffix.lower() in (*ZIP_SUFFIXES, *VIDEO_SUFFIXES) and root.is_file():
            name = encoded(root.name)
            for inside, group in self._inside(root, name, strict=True):
                yield f"{name}{inside}", inside, group
        else:
            raise FacemillError(
                f"no photos at {root}; set datasets.<name>.root, or the environment variable in it, to a folder, a zip "
                f"or a video ({', '.join(VIDEO_SUFFIXES)})"
            )

    def _inside(self, path: Path, name: str, strict: bool) -> Iterator[tuple[str, str]]:
        """What follows the file's name in the address of each picture in a zip or video, and its group."""
        suffix = path.suffix.lower()
        try:
            if suffix in ZIP_SUFFIXES:
                for member in member_names(path):
                    if PurePosixPath(member).suffix.lower() in PHOTO_SUFFIXES:
                        yield f"!{member}", PurePosixPath(member.replace("\\", "/")).stem
            elif suffix in VIDEO_SUFFIXES:
                for number in range(0, frame_count(path), self.frame_step):
                    yield f"@{number:06d}", name
        except (DamagedArchive, DamagedVideo) as problem:
            if strict:
                raise FacemillError(f"{path}: {problem}") from problem
            yield "", name
