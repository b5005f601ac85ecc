"""``volume``: a predicted face volume as a mesh or as voxels."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.jobs import job, seeds_of
from pipeline.records import FacemillError
from pipeline.verbs import chain
from pipeline.verbs.options import add_config_options, load_config


def add_verbs(verbs: argparse._SubParsersAction) -> None:
    """Add ``volume``."""
    verb = verbs.add_parser(
        "volume", help="write a predicted volume as .obj, .ply or .glb, or its voxels as .npy"
    )
    verb.add_argument("--model", help="a trained network that predicts volumes, as vrn")
    verb.add_argument("--benchmark", help="the data set that the picture is in")
    verb.add_argument("--picture", metavar="ID", help="none: the first")
    verb.add_argument(
        "--file", metavar="NPY", help="instead of a model: probabilities (D, S, S), D = 200 S / 192"
    )
    verb.add_argument("--crop", metavar="IMAGE", help="with --file: the crop that colours the mesh")
    verb.add_argument(
        "--depth-scale", type=float, default=1.25, help="with --file: its depth is stretched by this"
    )
    verb.add_argument("--out", required=True, metavar="FILE", help="ends in .obj, .ply, .glb or .npy")
    add_config_options(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write ``--out``."""
    from pipeline.apps.volume_mesh import predicted, read_probabilities, require_suffix, write_volume
    from pipeline.geometry.resample import to_rgb
    from pipeline.io.images import read_picture

    require_suffix(Path(options.out))
    if (options.file is None) == (options.model is None) or (options.model and not options.benchmark):
        raise FacemillError(
            "expected --model with --benchmark, or --file; type: python -m pipeline volume -h"
        )
    if options.file:
        name, volume, depth_scale = options.file, read_probabilities(options.file), options.depth_scale
        image = read_picture(Path(options.crop)) if options.crop else None
    else:
        config = load_config(options)
        seed = seeds_of(config, options.model)[0]
        infer = job(config, "infer", model=options.model, seed=seed, benchmark=options.benchmark)
        chain.require_inputs(infer, options)
        name, volume, image = predicted(chain.expanded(infer.inputs), infer.settings, options.picture)
        image, depth_scale = to_rgb(image), infer.settings["target"]["depth_scale"]
    print(f"{options.out}: {name}, {write_volume(options.out, volume, depth_scale, image)}")
    return 0
