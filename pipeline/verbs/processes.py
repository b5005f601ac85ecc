"""A training in several processes: torchrun starts the same verb once for each."""

from __future__ import annotations

import os
import sys

from pipeline.jobs import Job


def wanted(todo: Job) -> int:
    """How many processes a job has to start; 1 where it asks for no more, or was started as one of them."""
    if "TORCHELASTIC_RUN_ID" in os.environ:
        return 1
    return todo.settings.get("training", {}).get("processes", 1)


def launch(todo: Job, processes: int) -> int:
    """Run the verb of a job in so many processes on this machine; 0 when all ended well.

    The first says what went wrong, on its own standard error. SIGTERM reaches all of them, and each gets the time to
    save its state.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import parse_args, run

    if sys.platform.startswith("linux"):
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    job = ["--job", todo.as_json(), "--upkeep", todo.upkeep_as_json()]
    start = ["--standalone", "--nproc-per-node", str(processes), "--module", "pipeline", todo.stage]
    try:
        run(parse_args([*start, *job]))
    except ChildFailedError:
        return 1
    except SignalException as stopped:
        return 128 + stopped.sigval
    return 0
