"""What a job leaves beside its output: when it ran, where, how long, with which code, settings and inputs."""

from __future__ import annotations

import contextlib
import datetime
import os
import platform
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pipeline import provenance
from pipeline.io.files import read_json, write_json
from pipeline.jobs import Job


def path_of(output: str | Path) -> Path:
    """The run record of an output file."""
    return Path(f"{output}.run.json")


@contextlib.contextmanager
def recorded(job: Job) -> Iterator[None]:
    """Write the run record of every output of ``job`` when the block ends well."""
    started = datetime.datetime.now(datetime.UTC)
    clock = time.perf_counter()
    yield
    entry = {
        "stage": job.stage,
        "command": job.command,
        "settings": job.settings,
        "upkeep": job.upkeep,
        "code": provenance.code_parts(*job.modules),
        "inputs": job.inputs,
        "loaded": sorted(name for name in sys.modules if name.split(".")[0] == "pipeline"),
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - clock, 3),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "host": {
            "processors": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
            **_gpu(),
        },
    }
    for output in job.outputs.values():
        write_json(path_of(output), entry)


def _gpu() -> dict[str, object]:
    """The GPU that this process has computed on, and the most memory that it has held there at a time; nothing where it
    has touched none."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return {}
    return {
        "gpu": torch.cuda.get_device_name(),
        "peak_gpu_memory_mb": round(torch.cuda.max_memory_allocated() / 2**20, 1),
    }


def read(output: str | Path) -> dict | None:
    """The run record of an output, or None where there is none."""
    path = path_of(output)
    return read_json(path) if path.is_file() else None
