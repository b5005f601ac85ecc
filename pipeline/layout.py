"""Where every file of a run stands, below the results folder. Rules, verbs and ``why`` read these patterns."""

from __future__ import annotations

import re

from pipeline.records import FacemillError

PATTERNS: dict[str, dict[str, str]] = {
    "fetch": {"fetched": "fetch/{source}.json"},
    "synthesise": {
        "manifest": "synthetic/{dataset}/{shard}.tsv",
        "truth": "synthetic/{dataset}/truth/{shard}.h5",
    },
    "render_scans": {"manifest": "scans/{dataset}/{shard}.tsv"},
    "source": {"source": "source/{dataset}.tsv"},
    "detect": {
        "detections": "detect/{dataset}/{shard}.h5",
        "status": "detect/{dataset}/{shard}.status.tsv",
    },
    "label": {
        "labels": "label/{dataset}/{shard}.h5",
        "status": "label/{dataset}/{shard}.status.tsv",
    },
    "crop": {
        "crops": "crop/{frame}/{dataset}/{shard}.h5",
        "status": "crop/{frame}/{dataset}/{shard}.status.tsv",
    },
    "ground_truth": {
        "ground_truth": "ground_truth/{frame}/{target}/{dataset}/{shard}.h5",
        "status": "ground_truth/{frame}/{target}/{dataset}/{shard}.status.tsv",
    },
    "fingerprint": {"fingerprints": "fingerprint/{dataset}/{shard}.h5"},
    "leaks": {"leaks": "leaks/{dataset}.tsv"},
    "reap": {
        "kept": "reap/{frame}/{target}/{dataset}/kept.tsv",
        "reaped": "reap/{frame}/{target}/{dataset}/reaped.tsv",
    },
    "pack": {"pack": "pack/{frame}/{target}/{dataset}/{split}.h5"},
    "train": {
        "weights": "train/{model}/seed{seed}/weights.safetensors",
        "history": "train/{model}/seed{seed}/history.jsonl",
        "card": "train/{model}/seed{seed}/card.json",
    },
    "learning_curves": {"svg": "train/{model}/curves.svg", "png": "train/{model}/curves.png"},
    "infer": {"predictions": "infer/{model}/seed{seed}/{benchmark}.h5"},
    "infer_tddfa": {"predictions": "infer_tddfa/{benchmark}.h5"},
    "score": {"scores": "score/{model}/seed{seed}/{benchmark}.tsv"},
    "evaluate": {"evaluation": "eval/{model}.json"},
    "card": {"markdown": "cards/{model}.md", "card": "cards/{model}.json"},
    "table": {
        "markdown": "tables/{table}.md",
        "csv": "tables/{table}.csv",
        "latex": "tables/{table}.tex",
    },
    "table_lift": {"markdown": "lift/lift.md", "csv": "lift/lift.csv", "latex": "lift/lift.tex"},
    "figure": {"svg": "figures/{figure}.svg", "png": "figures/{figure}.png"},
    "check_protocols": {"sanity": "sanity.json"},
    "sheet": {"sheet": "sheets/{model}/seed{seed}/{benchmark}.png"},
    "contact_sheet": {"contact_sheet": "sheets/reaped/{frame}/{target}/{dataset}.png"},
    "ledger": {"ledger": "ledger.tsv"},
    "report_page": {"page": "report/index.html", "brief": "report/brief.html"},
    "train_shipped": {
        "weights": "shipped/{shipped}/weights.safetensors",
        "history": "shipped/{shipped}/history.jsonl",
        "card": "shipped/{shipped}/card.json",
    },
    "census": {"census": "census/{dataset}.json"},
}
"""Stage -> name of an output -> its path below the results folder."""

NAME, NUMBER = r"\w+", r"0|[1-9]\d*"
WILDCARDS = {
    "source": NAME,
    "dataset": NAME,
    "shard": NUMBER,
    "frame": NAME,
    "target": NAME,
    "split": r"train|val|test",
    "model": NAME,
    "seed": NUMBER,
    "benchmark": NAME,
    "table": NAME,
    "figure": NAME,
    "shipped": NAME,
}
"""What each wildcard may be, as a regular expression."""


def outputs(results: str, stage: str, **wildcards: object) -> dict[str, str]:
    """The output paths of one job by name; wildcards that are not given stay as ``{name}``."""
    keep = {name: "{" + name + "}" for name in WILDCARDS}
    return {
        name: f"{results}/{pattern.format(**{**keep, **wildcards})}"
        for name, pattern in PATTERNS[stage].items()
    }


def log(results: str, stage: str) -> str:
    """The log path of a stage's jobs, with its wildcards open."""
    return f"{results}/logs/{stage}{_suffix(stage)}.log"


def benchmark(results: str, stage: str) -> str:
    """The path of Snakemake's cost record of a stage's jobs, with its wildcards open."""
    return f"{results}/benchmarks/{stage}{_suffix(stage)}.tsv"


def _suffix(stage: str) -> str:
    first = next(iter(PATTERNS[stage].values()))
    return "".join("/{" + name + "}" for name in wildcards(first))


def wildcards(pattern: str) -> list[str]:
    """The wildcards of a path pattern, in their order."""
    return list(dict.fromkeys(re.findall(r"{(\w+)}", pattern)))


def locate(results: str, path: str) -> tuple[str, dict[str, str]]:
    """The stage and the wildcards behind an output path; FacemillError for a file that no stage makes."""
    for stage, patterns in PATTERNS.items():
        for pattern in patterns.values():
            match = re.fullmatch(_expression(f"{results}/{pattern}"), path)
            if match:
                return stage, match.groupdict()
    raise FacemillError(f"no stage makes {path}; expected a path like {results}/eval/prn.json")


def maker(path: str) -> str | None:
    """The stage whose outputs look like ``path``, below whatever results folder; None where there is none."""
    for stage, patterns in PATTERNS.items():
        for pattern in patterns.values():
            if re.fullmatch(".+/" + _expression(pattern), path):
                return stage
    return None


def _expression(pattern: str) -> str:
    seen: set[str] = set()
    expression = ""
    for part in re.split(r"({\w+})", pattern):
        name = part[1:-1] if part.startswith("{") else None
        if name is None:
            expression += re.escape(part)
        elif name in seen:
            expression += f"(?P={name})"
        else:
            seen.add(name)
            expression += f"(?P<{name}>{WILDCARDS[name]})"
    return expression
