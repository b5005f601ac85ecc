"""The limits that a finished run must keep, each beside the figure found. The exit code is 1 when one is missed.

    python -m benchmarks.limits [--results results] [--model prn] [--share 0.6] [--census FILE]

Reads eval/<model>.json of the results folder, ledger.tsv where it is, and the census: FILE, or where
workflow/presets/census.yaml leaves it. A census that is not there is said to be missing and judged only if asked for.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.io.files import read_json
from pipeline.io.tables import read_tsv
from pipeline.records import FacemillError, Reason
from pipeline.settings import ROOT

CENSUS = Path("results/census/census/synth_census.json")
WEIGHTS = ROOT / "pipeline" / "detect" / "weights"
PROTOCOL = "nme68_2d"
REAPED = (0.02, 0.15)
REASONS = 6


@dataclass(frozen=True)
class Limit:
    """A figure and the bounds that it must keep; one that could not be formed (None) keeps none."""

    what: str
    found: float | None
    most: float | None = None
    least: float | None = None

    @property
    def kept(self) -> bool:
        """Whether the figure lies within the bounds, which belong to them."""
        return (
            self.found is not None
            and (self.most is None or self.found <= self.most)
            and (self.least is None or self.found >= self.least)
        )

    def __str__(self) -> str:
        bounds = [
            f"{word} {bound:g}"
            for word, bound in (("at least", self.least), ("at most", self.most))
            if bound is not None
        ]
        found = "none" if self.found is None else f"{self.found:.5g}"
        return f"{'ok' if self.kept else 'MISSED':8}{self.what:66}{found:>10}   {', '.join(bounds)}"


def of_figures(evaluation: Mapping[str, Any], share: float) -> Iterator[Limit]:
    """The model's balanced 68-point error as a share of the mean face's, and each bin's, on every benchmark."""
    for benchmark, block in evaluation["benchmarks"].items():
        if PROTOCOL not in block["protocols"]:
            raise FacemillError(
                f"expected {PROTOCOL} among the protocols of {benchmark}, found none; add it to the config"
            )
        figures = block["protocols"][PROTOCOL]
        mean = figures["mean_face"]
        where = f"{benchmark}, {PROTOCOL} over the mean face's"
        yield Limit(f"{where}, balanced", _ratio(figures["balanced"], mean["balanced"]), share)
        for name, entry in figures["bins"].items():
            other = mean["bins"][name]
            below = _ratio(entry and entry["mean"], other and other["mean"])
            yield Limit(f"{where}, {name} degrees", below, 1.0)


def of_counts(counts: Mapping[str, Mapping[str, Any]]) -> Iterator[Limit]:
    """The share of each data set's ledger rows that was reaped, and how many reasons there are in all."""
    for dataset, count in counts.items():
        yield Limit(
            f"{dataset}, share of ledger rows reaped",
            _ratio(sum(count["reaped"].values()), count["source"]),
            *REAPED[::-1],
        )
    reasons = {reason for count in counts.values() for reason in count["reaped"]}
    yield Limit("different reasons in all", len(reasons), least=REASONS)


def of_census(figures: Mapping[str, Any]) -> Iterator[Limit]:
    """Detector, landmarks and false rejects against the synthesiser's truth."""
    near = figures["landmarks"]["yaw_to_60"]
    found = figures["detector"]
    yield Limit("census, faces up to 60 degrees found", near["found"], least=0.90)
    yield Limit("census, median point error up to 60 degrees, %", near["median_point_error"], 4.0)
    yield Limit("census, median error of a face up to 60 degrees, %", near["median_face_nme"], 5.0)
    yield Limit(
        "census, unoccluded faces up to 60 degrees found", found["found_unoccluded_yaw_60"], least=0.95
    )
    yield Limit(
        "census, false boxes in 50 pictures without a face", found["false_boxes_per_50_pictures"], 1.0
    )
    yield Limit("census, false rejects", figures["false_rejects"]["reaped"], 0.03)
    accepted = _ratio(figures["pictures_without_face_accepted"], figures["pictures_without_face"])
    yield Limit("census, share of pictures without a face accepted", accepted, 2 / 400)


def counts_of_ledger(rows: Sequence[Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    """The rows of ledger.tsv in the form of the JSON's counts."""
    return {
        row["dataset"]: {
            "source": int(row["source"]),
            "reaped": {reason.code: int(row[reason.code]) for reason in Reason if int(row[reason.code])},
        }
        for row in rows
    }


def limits(results: Path, model: str, share: float, census: Path | None) -> Iterator[Limit]:
    """All limits of a run whose files are there; FacemillError where the model's JSON or an asked census is not."""
    evaluation = read_json(results / "eval" / f"{model}.json")
    yield from of_figures(evaluation, share)
    ledger = results / "ledger.tsv"
    more = counts_of_ledger(read_tsv(ledger)) if ledger.is_file() else {}
    yield from of_counts({**more, **evaluation["counts"]})
    yield Limit(
        "shipped weights, MB", sum(p.stat().st_size for p in WEIGHTS.glob("*.safetensors")) / 1e6, 8.0
    )
    if census is not None:
        yield from of_census(read_json(census))


def _ratio(figure: float | None, other: float | None) -> float | None:
    return None if figure is None or not other else figure / other


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line for each limit; 1 when one is missed or there is nothing to judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--model", default="prn")
    parser.add_argument("--share", type=float, default=0.6, help="of the mean face's figure, at most")
    parser.add_argument("--census", type=Path)
    options = parser.parse_args(arguments)
    census = options.census or (CENSUS if CENSUS.is_file() else None)
    try:
        found = list(limits(options.results, options.model, options.share, census))
    except FacemillError as error:
        print(f"limits: {error}; type: make run", file=sys.stderr)
        return 1
    for limit in found:
        print(limit)
    if census is None:
        print(
            f"no census at {CENSUS}; type: snakemake --configfile workflow/presets/census.yaml -j8 {CENSUS}"
        )
    missed = sum(not limit.kept for limit in found)
    print(f"{len(found)} limits, {missed} missed")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
