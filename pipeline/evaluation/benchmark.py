"""Which pictures a benchmark consists of, and the truth of each: of a face in a pack, and of a picture that failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import h5py

from pipeline.datasets.base import AnnotationProblem, FaceAnnotation, Reader
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.truth import Truth, of_annotation, unreadable
from pipeline.io import hdf5
from pipeline.io.containers import UnreadablePicture
from pipeline.io.images import read_picture
from pipeline.io.tables import read_tsv
from pipeline.records import POINTS, SOURCE_COLUMNS, FacemillError


@dataclass(frozen=True)
class BenchmarkPicture:
    """A test picture with exactly one true face. path, annotation: its files, relative to the data set's root."""

    id: str
    path: str
    annotation: str


def benchmark_pictures(source: Path) -> list[BenchmarkPicture]:
    """The pictures of a benchmark's source table that have exactly one annotation, in the table's order.

    Pictures without a face or with several stand in the ledger only. FacemillError when none is left.
    """
    found = []
    for row in read_tsv(source, SOURCE_COLUMNS):
        annotations = [part for part in row["annotations"].split(";") if part]
        if len(annotations) == 1:
            found.append(BenchmarkPicture(row["id"], row["path"], annotations[0]))
    if not found:
        raise FacemillError(f"{source}: expected pictures with one annotated face, found none")
    return found


class AnnotatedTruth:
    """The truth of a benchmark's pictures.

    Args:
        pictures: the benchmark's.
        reader, root: of the data set.
        chart: of the face model.
        labelled: whether the truth is the labeller's, which packs hold and no annotation file does.
        further: whether point sets and lists of yaws are wanted that stand in the annotation files alone.
    """

    def __init__(
        self,
        pictures: Sequence[BenchmarkPicture],
        reader: Reader,
        root: Path,
        chart: Chart,
        *,
        labelled: bool = False,
        further: bool = False,
    ) -> None:
        self._pictures: Mapping[str, BenchmarkPicture] = {picture.id: picture for picture in pictures}
        self._reader, self._root, self._chart = reader, root, chart
        self._labelled, self._further = labelled, further and not labelled

    def of_pack(self, pack: h5py.File) -> Iterator[Truth | None]:
        """The truth of each face of a pack; None for a picture that the benchmark does not count."""
        for row, picture in enumerate(hdf5.texts(pack["picture"])):
            if picture not in self._pictures:
                yield None
            else:
                yield of_annotation(picture, self._packed(pack, row, picture), self._chart)

    def of(self, picture: str) -> Truth:
        """The truth of one picture, whatever was predicted for it; without angles and yaws where it cannot be read."""
        if self._labelled:
            return unreadable(picture, "the labeller's truth is that of detected faces alone")
        try:
            height = read_picture(self._root / self._pictures[picture].path).shape[0]
        except UnreadablePicture:
            height = 1
        try:
            return of_annotation(picture, self._read(picture, height), self._chart)
        except AnnotationProblem as problem:
            return unreadable(picture, problem.detail)

    def _packed(self, pack: h5py.File, row: int, picture: str) -> FaceAnnotation:
        """The annotation of one face of a pack, with what its file says beyond it where that is wanted."""
        height = int(pack["image_height"][row])
        if pack.attrs["truth"] == POINTS:
            return self._read(picture, height)
        packed = annotation_of(pack, row)
        if not self._further:
            return packed
        read = self._read(picture, height)
        return replace(packed, points=read.points, yaws_deg=read.yaws_deg, origins=read.origins)

    def _read(self, picture: str, height: int) -> FaceAnnotation:
        return self._reader.annotation(self._root / self._pictures[picture].annotation, height)


def annotation_of(pack: h5py.File, row: int) -> FaceAnnotation:
    """The truth of one face of a pack of dense truth."""
    return FaceAnnotation(
        pose=pack["pose_para"][row],
        shape=pack["shape_para"][row],
        expression=pack["exp_para"][row],
        height=int(pack["image_height"][row]),
        landmarks68=pack["landmarks68"][row],
        camera=pack["camera"][row],
    )
