"""The results of a small run: evaluations made by the evaluator from hand-made scores, and the score files."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.evaluation import protocols
from pipeline.evaluation.protocols import FOLDER
from pipeline.evaluation.report import benchmark_block
from pipeline.evaluation.score import TRUTH_FLOOR, Score, write_scores
from pipeline.settings import read_yaml
from pipeline.tables.results import Results, Run
from pipeline.tables.table import Table

YAW = {"a": 0.0, "b": 10.0, "c": -45.0, "d": 50.0, "e": 80.0, "f": -85.0}
"""Six pictures, two in each of the usual bins."""
Values = Mapping[str, float | str | None]
"""Picture -> score; None: the prediction failed; a text: no score, for this reason."""


def column(protocol: str, values: Values, worst: float = 100.0) -> list[Score]:
    """The scores of one predictor under one protocol."""
    rows = []
    for picture, value in values.items():
        why = value if isinstance(value, str) else ""
        score = None if why else worst if value is None else value
        rows.append(Score(picture, protocol, score, YAW[picture], value is None, why))
    return rows


def spread_out(mean: float, step: float = 0.1) -> dict[str, float]:
    """Scores of the six pictures around a mean."""
    return {picture: mean + step * (number - 2.5) for number, picture in enumerate(YAW)}


class World:
    """A run that grows by `add`; `results` is what tables get.

    Args:
        folder: of the score files.
        contents: protocol -> content of its file, for protocols that no file of the project describes.
    """

    def __init__(self, folder: Path, ids: Sequence[str], contents: Mapping[str, dict] | None = None) -> None:
        self.folder = folder
        self.contents = {name: read_yaml(FOLDER / f"{name}.yaml") for name in ids} | dict(contents or {})
        self.runs: list[Run] = []
        self.evaluations: dict[str, dict] = {}

    def add(
        self,
        model: str,
        benchmark: str,
        *seeds: Mapping[str, Values],
        mean_face: float = 20.0,
        floor: float | None = 0.88,
    ) -> "World":
        """One model on one benchmark: of each seed, protocol -> values; the mean face has one score everywhere."""
        by_seed = {str(number): self._scores(seed, floor) for number, seed in enumerate(seeds)}
        beside = self._scores({name: dict.fromkeys(YAW, mean_face) for name in self.contents}, None)
        for seed, scores in by_seed.items():
            path = self.folder / f"{model}-{benchmark}-{seed}.tsv"
            write_scores(path, {"model": scores, "mean_face": beside})
            self.runs.append(Run(model, seed, benchmark, str(path), "", ""))
        chosen = [protocols.parse(name, content) for name, content in self.contents.items()]
        block = benchmark_block(by_seed, beside, chosen)
        self.evaluations.setdefault(model, {"benchmarks": {}})["benchmarks"][benchmark] = block
        return self

    @property
    def results(self) -> Results:
        """What a table is given."""
        return Results(self.evaluations, self.runs, self.contents)

    def _scores(self, seed: Mapping[str, Values], floor: float | None) -> list[Score]:
        lost = dict.fromkeys(YAW, "nothing to compare")
        rows = [row for name in self.contents for row in column(name, {**lost, **seed.get(name, {})})]
        if floor is not None:
            rows += [Score(picture, TRUTH_FLOOR, floor, yaw, False) for picture, yaw in YAW.items()]
        return rows


def rows_of(table: Table, **wanted: object) -> list[dict]:
    """The rows of a table by column, those with these cells; a space of a title is written _."""
    titles = [column.title for column in table.columns]
    rows = [dict(zip(titles, row, strict=True)) for row in table.rows]
    return [r for r in rows if all(r[key.replace("_", " ")] == value for key, value in wanted.items())]


def row_of(table: Table, **wanted: object) -> dict:
    """The only row with these cells."""
    (row,) = rows_of(table, **wanted)
    return row
