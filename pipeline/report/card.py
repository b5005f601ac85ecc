"""A model's card: what it is, what it was made from, what it may be used for, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.datasets import licences
from pipeline.report.card_page import number

FOR = (
    "Research: faces in pictures as 3D geometry, and the comparison of methods under the protocols below.",
    "Not for recognising or identifying people, nor for conclusions about their character, health, origin or mood.",
)
OF_ALL_SEEDS = ("model", "settings", "parameters", "frame", "target", "task", "training", "samples")
OF_EACH_SEED = ("selected", "ended", "data_digest", "code_digest", "sha256", "command")
FIGURES = ("unit", "better", "headline", "interval", "n", "bins", "lacking")


def model_card(
    name: str,
    about: str,
    cards: Mapping[int, Mapping[str, Any]],
    evaluation: Mapping[str, Any],
    sets: Sequence[Mapping[str, Any]],
    records: Mapping[int, Mapping[str, Any] | None],
    curves: str,
) -> dict[str, Any]:
    """The card as JSON values.

    Args:
        name: the model's id; about: what its network's file says of itself.
        cards: of the trainings, by seed; records: their run records, None where there is none.
        evaluation: the model's results/eval/<model>.json.
        sets: name, reader, labels of each training set, and whether it is made by the synthesiser.
        curves: where the learning curves stand, from the card's folder.
    """
    first = next(iter(cards.values()))
    terms = licences.joined(*(licences.of_card(card, f"seed {seed}") for seed, card in cards.items()))
    listed = {text: {"of": parts, "commercial": licences.verdict(text)} for text, parts in terms.items()}
    found = {each["commercial"] for each in listed.values()}
    benchmarks = {key: _benchmark(block, len(cards)) for key, block in evaluation["benchmarks"].items()}
    commercial = next(verdict for verdict in ("no", "unknown", "yes") if verdict in found or verdict == "yes")
    return {
        "name": name,
        "about": about,
        **{key: first[key] for key in OF_ALL_SEEDS if key in first},
        "sets": [dict(each) for each in sets],
        "seeds": {
            str(seed): {key: card[key] for key in OF_EACH_SEED if key in card}
            | {"time": _time(records[seed])}
            for seed, card in cards.items()
        },
        "licences": listed,
        "commercial": commercial,
        "use": list(FOR),
        "limits": _limits(sets, len(cards), commercial, benchmarks),
        "benchmarks": benchmarks,
        "curves": curves,
    }


def _benchmark(block: Mapping[str, Any], seeds: int) -> dict[str, Any]:
    """Counts and headlines of one benchmark; a single seed has no spread."""
    protocols = {
        protocol: {key: figures[key] for key in FIGURES}
        | {"mean_face": figures["mean_face"]["headline"], "spread": figures["spread"] if seeds > 1 else None}
        for protocol, figures in block["protocols"].items()
    }
    return {key: block[key] for key in ("images", "evaluated", "failed")} | {"protocols": protocols}


def _time(record: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Seconds of the job that ended a training, and where it ran."""
    if record is None:
        return None
    return {"seconds": record["seconds"], "processors": record["host"]["processors"]}


def _limits(
    sets: Sequence[Mapping[str, Any]],
    seeds: int,
    commercial: str,
    benchmarks: Mapping[str, Mapping[str, Any]],
) -> list[str]:
    """Sentences that the facts give."""
    found = []
    if commercial != "yes":
        why = "some licence forbids commercial use" if commercial == "no" else "some terms are unknown"
        found.append(f"Not for products: {why} (see the licences).")
    if all(each["made"] for each in sets):
        found.append(
            "It has seen rendered faces only; what it is worth on photographs, a benchmark of photographs says."
        )
    guessed = [each["name"] for each in sets if each["labels"] == "tddfa"]
    if guessed:
        found.append(
            f"The truth of {', '.join(guessed)} is another network's guess (3DDFA_V2), not measured."
        )
    if seeds == 1:
        found.append("One seed: how much trainings differ is not known.")
    for benchmark, block in benchmarks.items():
        found += _limits_on(benchmark, block)
    return found


def _limits_on(benchmark: str, block: Mapping[str, Any]) -> list[str]:
    found = []
    if block["failed"]:
        found.append(
            f"On {benchmark} {block['failed']} of {block['images']} pictures have no usable prediction."
        )
    for protocol, figures in block["protocols"].items():
        bins = {
            name: entry["mean"]
            for name, entry in figures["bins"].items()
            if entry and entry["mean"] is not None
        }
        if figures["better"] == "lower" and len(bins) > 1:
            best, worst = min(bins, key=bins.get), max(bins, key=bins.get)
            found.append(
                f"On {benchmark} ({protocol}) the error goes from {number(bins[best], figures['unit'])} at {best} "
                f"degrees of yaw to {number(bins[worst], figures['unit'])} at {worst}."
            )
            break
    lacking = {
        protocol: max(figures["lacking"], key=figures["lacking"].get)
        for protocol, figures in block["protocols"].items()
        if figures["headline"] is None and figures["lacking"]
    }
    found += [f"On {benchmark} nothing under {protocol}: {why}." for protocol, why in lacking.items()]
    return found
