"""``convert``: a checkpoint that others have published as a file of our weights, with its card."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from pipeline.records import FacemillError
from pipeline.registry import PUBLISHED


def add_verbs(verbs: argparse._SubParsersAction) -> None:
    """Add ``convert``."""
    verb = verbs.add_parser(
        "convert", help="turn a published checkpoint into weights for inference and training.init_from"
    )
    verb.add_argument("--model", required=True, metavar="NAME", help=f"one of {', '.join(PUBLISHED.names())}")
    verb.add_argument(
        "--weights", required=True, metavar="FILE", help="the checkpoint; of TensorFlow's, its prefix"
    )
    verb.add_argument(
        "--statistics",
        metavar="FILE",
        help="means and deviations of the 62 parameters that its network was trained with (.pkl or .npz)",
    )
    verb.add_argument("--out", required=True, metavar="FILE", help="as prn/weights.safetensors")
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write weights and card."""
    PUBLISHED.check(options.model)
    out = Path(options.out)
    if out.suffix != ".safetensors":
        raise FacemillError(f"--out: expected the name of a .safetensors file, found {out}")
    from pipeline.training.published import card_of, convert

    command = f"python -m pipeline convert --model {options.model} --weights {shlex.quote(options.weights)}"
    if options.statistics:
        command += f" --statistics {shlex.quote(options.statistics)}"
    command += f" --out {shlex.quote(options.out)}"
    card = convert(options.model, options.weights, options.statistics, out, command)
    print(
        f"{out}: {card['parameters']} parameters, sha256 {card['sha256'][:10]}; {card_of(out).name} beside it"
    )
    print(f"licence: {', '.join(card['licences'])}")
    return 0
