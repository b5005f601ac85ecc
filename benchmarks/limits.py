"""The limits that a finished run must keep, each beside the figure found. The exit code is 1 when one is missed.

    python -m benchmarks.limits [--results results] [--model prn]... [--expect prn vrn ...]
        [--share 0.7] [--iou 0.75] [--census FILE]

Of workflow/presets/longer.yaml: --results results/longer --share 0.35 --iou 0.9.

Reads eval/<model>.json of the results folder (of the models named, else of all that were trained there), the card of
their trainings, ledger.tsv where it is, and the census: FILE, or where workflow/presets/census.yaml leaves it. A census
that is not there is said to be missing and judged only if asked for. Predictions that were given, which have no
weights, are judged only if named.
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
OVERLAPS = {"solid": "volume_iou", "frontal_backfill": "volume_iou_backfill"}
"""The protocol that compares volumes of each variant."""
SHARE, SHARES = 0.7, {"prn": 0.6}
"""Of the mean face's figure at most, for every model and for those with a limit of their own."""
IOU = 0.75
UNANSWERED = 0.02
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
        return f"{'ok' if self.kept else 'MISSED':8}{self.what:80}{found:>10}   {', '.join(bounds)}"


def most_judged(evaluations: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """On how many pictures of each benchmark the system was judged that was judged on most."""
    most: dict[str, int] = {}
    for evaluation in evaluations:
        for benchmark, block in evaluation["benchmarks"].items():
            most[benchmark] = max(most.get(benchmark, 0), block["protocols"].get(PROTOCOL, {}).get("n", 0))
    return most


def of_answers(evaluation: Mapping[str, Any], most: Mapping[str, int]) -> Iterator[Limit]:
    """Pictures on which other systems were judged and this one was not, which would flatter it: reaped with its own
    target, or without an answer."""
    for benchmark, block in evaluation["benchmarks"].items():
        left = (most[benchmark] - block["protocols"][PROTOCOL]["n"]) / max(1, most[benchmark])
        what = f"{evaluation['model']} on {benchmark}, share of the pictures that others were judged on, left out"
        yield Limit(what, left, UNANSWERED)


def of_figures(evaluation: Mapping[str, Any], share: float) -> Iterator[Limit]:
    """The model's balanced 68-point error as a share of the mean face's, and each bin's, on every benchmark."""
    for where, figures in _protocol(evaluation, PROTOCOL):
        mean = figures["mean_face"]
        what = f"{where} over the mean face's"
        yield Limit(f"{what}, balanced", _ratio(figures["balanced"], mean["balanced"]), share)
        for name, entry in figures["bins"].items():
            other = mean["bins"][name]
            below = _ratio(entry and entry["mean"], other and other["mean"])
            yield Limit(f"{what}, {name} degrees", below, 1.0)


def of_volumes(evaluation: Mapping[str, Any], variant: str, iou: float) -> Iterator[Limit]:
    """The overlap of the volumes of a model that learns those of a variant, the mean volume's beside it, on every
    benchmark."""
    for where, figures in _protocol(evaluation, OVERLAPS[variant]):
        mean = figures["mean_face"]["headline"]
        beside = "none" if mean is None else f"{mean:.3g}"
        yield Limit(f"{where} (the mean volume's: {beside})", figures["headline"], least=iou)


def _protocol(evaluation: Mapping[str, Any], protocol: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Where, in words, and the figures of one protocol, for every benchmark of a model."""
    for benchmark, block in evaluation["benchmarks"].items():
        where = f"{evaluation['model']} on {benchmark}"
        if protocol not in block["protocols"]:
            raise FacemillError(
                f"expected {protocol} among the protocols of {where}, found none; add it to evaluation.protocols"
            )
        yield f"{where}, {protocol}", block["protocols"][protocol]


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
    """The rows of ledger.tsv in the form of the JSON's counts, by data set, frame and target."""
    return {
        place(row["dataset"], row["frame"], row["target"]): {
            "source": int(row["source"]),
            "reaped": {reason.code: int(row[reason.code]) for reason in Reason if int(row[reason.code])},
        }
        for row in rows
    }


def place(dataset: str, frame: str, target: str) -> str:
    """The name of one balance: of a data set in a frame, for a target."""
    return f"{dataset} ({frame}, {target})"


def judged(results: Path, named: Sequence[str]) -> list[dict[str, Any]]:
    """The JSONs of the models named, else of all that the results folder has weights of; FacemillError for a model
    named without one, and for none at all."""
    if named:
        return [read_json(results / "eval" / f"{model}.json") for model in dict.fromkeys(named)]
    paths = [path for path in (results / "eval").glob("*.json") if not path.name.endswith(".run.json")]
    found = [evaluation for path in sorted(paths) if (evaluation := read_json(path))["weights"]]
    if not found:
        raise FacemillError(f"expected JSONs of trained models in {results / 'eval'}, found none")
    return found


def limits(
    results: Path, evaluations: Sequence[Mapping[str, Any]], share: float | None, iou: float
) -> Iterator[Limit]:
    """All limits of a run but the census's. share: of every model; None: `SHARES`, else `SHARE`."""
    ledger = results / "ledger.tsv"
    counts = counts_of_ledger(read_tsv(ledger)) if ledger.is_file() else {}
    most = most_judged(evaluations)
    for evaluation in evaluations:
        model = evaluation["model"]
        yield from of_figures(evaluation, SHARES.get(model, SHARE) if share is None else share)
        yield from of_answers(evaluation, most)
        target = target_of(results, evaluation)
        if target.get("kind") == "volume" and target["variant"] in OVERLAPS:
            yield from of_volumes(evaluation, target["variant"], iou)
        for dataset, count in evaluation["counts"].items():
            counts[place(dataset, evaluation["frame"], evaluation["target"])] = count
    yield from of_counts(counts)
    yield Limit(
        "shipped weights, MB", sum(p.stat().st_size for p in WEIGHTS.glob("*.safetensors")) / 1e6, 8.0
    )


def target_of(results: Path, evaluation: Mapping[str, Any]) -> Mapping[str, Any]:
    """The target that a model learns, as the card of its first training says; nothing for one without weights."""
    for weights in evaluation["weights"]:
        return read_json((results / weights["path"]).parent / "card.json")["target"]
    return {}


def missing(expected: Sequence[str], evaluations: Sequence[Mapping[str, Any]]) -> list[str]:
    """The models that are expected and not among those judged."""
    found = {evaluation["model"] for evaluation in evaluations}
    return [model for model in expected if model not in found]


def _ratio(figure: float | None, other: float | None) -> float | None:
    return None if figure is None or not other else figure / other


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line for each limit; 1 when one is missed or there is nothing to judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--model", action="append", default=[], help="may be given again; none: all")
    parser.add_argument("--expect", nargs="+", default=[], metavar="MODEL", help="models that must be judged")
    parser.add_argument("--share", type=float, help=f"of the mean face's figure at most; {SHARE}, prn 0.6")
    parser.add_argument("--iou", type=float, default=IOU, help="overlap of volumes at least")
    parser.add_argument("--census", type=Path)
    options = parser.parse_args(arguments)
    census = options.census or (CENSUS if CENSUS.is_file() else None)
    try:
        evaluations = judged(options.results, options.model)
        found = list(limits(options.results, evaluations, options.share, options.iou))
        found += of_census(read_json(census)) if census else []
    except FacemillError as error:
        print(f"limits: {error}; type: make run", file=sys.stderr)
        return 1
    for limit in found:
        print(limit)
    absent = missing(options.expect, evaluations)
    for model in absent:
        path = f"{options.results}/eval/{model}.json"
        print(f"{'MISSED':8}{model} is expected and was not judged; type: snakemake -j8 {path}")
    if census is None:
        print(
            f"no census at {CENSUS}; type: snakemake --configfile workflow/presets/census.yaml -j8 {CENSUS}"
        )
    missed = sum(not limit.kept for limit in found) + len(absent)
    print(f"{len(evaluations)} models, {len(found) + len(absent)} limits, {missed} missed")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
