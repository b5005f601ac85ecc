"""How many of Snakemake's slots a job takes on this machine."""

from __future__ import annotations

import os


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def slots(threads: int, available: int | None, machine: int) -> int:
    """The slots of a job of so many threads where -j gives ``available`` of them (None: on a cluster), on a machine of
    so many cores. Where that is more slots than cores, a job takes as large a share of the slots as of the cores:
    threads that wait for each other lose most of their time beside other jobs."""
    return max(threads, threads * (available or 0) // machine)
