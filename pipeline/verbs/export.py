"""``export``: a trained model with its card and its notice, if the licences of what it was made from allow the use."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline import layout
from pipeline.io.files import read_json, sha256_of, write_bytes, write_json, write_text
from pipeline.jobs import seeds_of
from pipeline.records import FacemillError
from pipeline.verbs.options import add_config_options, load_config

NOTES = {
    "commercial": "All licences listed here allow commercial use. Keep this notice with the weights.",
    "research": "Exported for research. For any other use read the licences listed here; some may forbid it.",
}


def add_verbs(verbs: argparse._SubParsersAction) -> None:
    """Add ``export``."""
    verb = verbs.add_parser(
        "export", help="copy a trained model with its card, if its licences allow the use"
    )
    verb.add_argument("--model", required=True, metavar="ID", help="a key of models")
    verb.add_argument("--seed", type=int, help="none: the first that the model is trained with")
    verb.add_argument("--allow", required=True, choices=sorted(NOTES), help="what the copy is for")
    verb.add_argument("--out", metavar="FOLDER", help="none: exported/<model>_seed<seed>")
    add_config_options(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Copy weights and card and write NOTICE.txt; refuse with everything that forbids the use."""
    config = load_config(options)
    seed = seeds_of(config, options.model)[0] if options.seed is None else options.seed
    files = layout.outputs(config.results, "train", model=options.model, seed=seed)
    weights, card = (
        Path(files["weights"]),
        read_json(files["card"]) if Path(files["card"]).is_file() else None,
    )
    if card is None or not weights.is_file():
        raise FacemillError(f"no trained {options.model} with seed {seed}; type: snakemake -j8 {weights}")
    if card.get("sha256") != sha256_of(weights):
        raise FacemillError(
            f"{files['card']} is not the card of {weights}: the sha256 differs; train it again"
        )
    if options.allow == "commercial" and (forbidding := list(forbids(card))):
        raise FacemillError(
            f"{options.model} with seed {seed} may not be exported for commercial use: {'; '.join(forbidding)}"
        )
    out = Path(options.out or f"exported/{options.model}_seed{seed}")
    write_bytes(out / "weights.safetensors", weights.read_bytes())
    write_json(out / "card.json", {**card, "exported_for": options.allow})
    write_text(out / "NOTICE.txt", notice(card, options.allow))
    print(f"{out}: weights, card and notice. {NOTES[options.allow]}")
    return 0


def forbids(card: Mapping[str, Any]) -> Iterator[str]:
    """What stands in the way of commercial use, one text a licence."""
    from pipeline.datasets.licences import verdict

    listed = card.get("licences")
    if not listed:
        yield "its card lists no licences; train it again"
        return
    for licence, parts in listed.items():
        if (found := verdict(licence)) != "yes":
            words = "" if found == "no" else " [terms unknown, which allows nothing]"
            yield f"{licence} ({', '.join(parts)}){words}"


def notice(card: Mapping[str, Any], allowed: str) -> str:
    """The text that goes with a copy: what it is for, and every licence with what stands under it."""
    from pipeline.datasets.licences import verdict

    lines = [f"{card['model']}, seed {card['seed']}. {NOTES[allowed]}", ""]
    for licence, parts in (card.get("licences") or {}).items():
        lines += [f"{licence}", f"  commercial use: {verdict(licence)}", *(f"  {part}" for part in parts)]
    return "\n".join(lines) + "\n"
