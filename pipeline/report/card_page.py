"""A model's card as a page of Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

VERDICTS = {"yes": "allows commercial use", "no": "research only", "unknown": "terms unknown"}


def as_markdown(card: Mapping[str, Any]) -> str:
    """The card as a page of Markdown."""
    return (
        "\n\n".join(
            [
                f"# {card['name']}",
                card["about"],
                f"![losses, validations and learning rate of {card['name']}]({card['curves']})",
                "## Use and limits",
                _listed([*card["use"], *card["limits"]]),
                "## Results",
                _table(
                    [
                        "benchmark",
                        "protocol",
                        "result",
                        "95 % interval",
                        "spread of seeds",
                        "mean face",
                        "pictures",
                        "failed",
                    ],
                    [
                        _result(benchmark, block, protocol, figures)
                        for benchmark, block in card["benchmarks"].items()
                        for protocol, figures in block["protocols"].items()
                    ],
                ),
                "## Network and training",
                _table(["what", "value"], _facts(card)),
                _table(
                    ["seed", "kept at update", "ended at", "training time", "sha256 of the weights"],
                    [_seed(seed, each) for seed, each in card["seeds"].items()],
                ),
                "## Licences",
                f"Together: {VERDICTS[card['commercial']]}.",
                _table(
                    ["licence", "verdict", "of"],
                    [
                        [text, VERDICTS[each["commercial"]], "; ".join(each["of"])]
                        for text, each in card["licences"].items()
                    ],
                ),
                "## Provenance",
                _table(
                    ["seed", "digest of the data", "digest of the code", "command"],
                    [
                        [
                            seed,
                            f"`{each['data_digest'][:16]}`",
                            f"`{each['code_digest']}`",
                            f"`{each['command']}`",
                        ]
                        for seed, each in card["seeds"].items()
                    ],
                ),
            ]
        )
        + "\n"
    )


def _facts(card: Mapping[str, Any]) -> list[list[str]]:
    training, target = card["training"], card["target"]
    samples = ", ".join(f"{name} {count:,}" for name, count in card["samples"].items())
    rows = [
        ["network", f"{card['model']}, {card['parameters']:,} parameters"],
        ["its settings", _values(card["settings"]) or "the paper's"],
        ["input, target", f"{card['frame']}, {target['kind']} of side {target['size']}"],
        ["learnt from", ", ".join(each["name"] for each in card["sets"])],
        ["faces", samples],
        ["optimiser", f"{training['optimiser']}, rate {training['lr']:g}, {training['schedule']}"],
        [
            "batch",
            f"{training['batch_size']} in {training['processes']} process(es) of {training['threads']} threads",
        ],
    ]
    if own := card.get("task"):
        rows.append(["task", f"{own['name']}{', ' if own['keywords'] else ''}{_values(own['keywords'])}"])
    return rows


def _result(benchmark: str, block: Mapping[str, Any], protocol: str, figures: Mapping[str, Any]) -> list[str]:
    unit, interval = figures["unit"], figures["interval"]
    return [
        benchmark,
        protocol,
        number(figures["headline"], unit),
        "–" if interval is None else " to ".join(number(end, unit) for end in interval),
        *(number(figures[key], unit) for key in ("spread", "mean_face")),
        str(figures["n"]),
        str(block["failed"]),
    ]


def _seed(seed: str, each: Mapping[str, Any]) -> list[str]:
    ended, time = each["ended"], each["time"]
    end = f"{ended['update']} of {ended['updates']}" + (" (patience)" if ended["by"] == "patience" else "")
    spent = "–" if time is None else f"{time['seconds']:.0f} s, {time['processors']} processors"
    return [seed, str(each["selected"]["update"]), end, spent, f"`{each['sha256'][:16]}`"]


def number(value: float | None, unit: str) -> str:
    """A figure with its unit; a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:.3f}" if unit == "1" else f"{value:.2f} {unit}"


def _values(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items())


def _listed(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)
