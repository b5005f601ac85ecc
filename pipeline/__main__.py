"""``python -m pipeline <verb>``: every stage of the chain, and every tool, without Snakemake.

Threads of OpenMP that wait for each other sleep after a few microseconds instead of spinning for milliseconds: beside
any other process on the same cores, a training whose threads spin gets several times slower. The variables are GNU's
OpenMP's, which torch brings, and are read when it is loaded.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

os.environ.setdefault("OMP_NUM_THREADS", "1")
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")

from pipeline.records import FacemillError
from pipeline.verbs import chain, tools


def parser() -> argparse.ArgumentParser:
    """The command line: one sub-command a verb."""
    top = argparse.ArgumentParser(
        prog="python -m pipeline",
        description="From raw face photos to trained models and the papers' tables.",
    )
    verbs = top.add_subparsers(dest="verb", required=True, metavar="verb")
    chain.add_verbs(verbs)
    tools.add_verbs(verbs)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; 0 when it did what was asked, 1 with one line on standard error when it could not."""
    options = parser().parse_args(arguments)
    try:
        status = options.run(options) or 0
        sys.stdout.flush()
        return status
    except FacemillError as error:
        print(f"{options.verb}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1
    except OSError as error:
        print(f"{options.verb}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{options.verb}: interrupted; what was finished stands", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
