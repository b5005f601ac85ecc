"""Time of the synthesiser on one thread: whole pictures of each kind, and the parts of one.

OMP_NUM_THREADS=1 python -m benchmarks.synthesise [--pictures 40] [--model procedural]
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time
from collections import defaultdict

from pipeline.config import SyntheticSettings
from pipeline.datasets.synthetic.anatomy import HeadModel
from pipeline.datasets.synthetic.picture import Synthesiser
from pipeline.morphable import load_face_model


def main() -> None:
    """Print one line for each kind of picture and for each costly function."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--model", default="procedural")
    parser.add_argument("--path", default=None, help="of the face model")
    options = parser.parse_args()
    settings = SyntheticSettings(pictures=options.pictures)
    made = Synthesiser(settings, HeadModel(load_face_model(options.model, options.path)), 0, "benchmark")
    made.picture(0)
    times = defaultdict(list)
    profile = cProfile.Profile()
    for index in range(options.pictures):
        start = time.process_time()
        rendered = made.picture(index)
        times[rendered.kind.value].append(1000 * (time.process_time() - start))
    every = [t for kind in times.values() for t in kind]
    print(f"{'all':12s} {len(every):4d} pictures {sum(every) / len(every):7.1f} ms")
    for kind, spent in sorted(times.items()):
        print(f"{kind:12s} {len(spent):4d} pictures {sum(spent) / len(spent):7.1f} ms")
    profile.enable()
    for index in range(options.pictures):
        made.picture(index)
    profile.disable()
    pstats.Stats(profile).sort_stats("tottime").print_stats(15)


if __name__ == "__main__":
    main()
