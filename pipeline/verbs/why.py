"""``why``: what changed since a file was made, up the whole chain behind it; ``show``: what a file is."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline import jobs, layout, provenance
from pipeline.config import Config
from pipeline.io.files import read_json
from pipeline.records import FacemillError
from pipeline.verbs import record
from pipeline.verbs.options import add_config_options, load_config


def add_verbs(verbs: argparse._SubParsersAction) -> None:
    """Add ``why`` and ``show``."""
    why = verbs.add_parser("why", help="say what changed since a file was made, and what will run again")
    why.add_argument("target", help="as results/eval/prn.json")
    add_config_options(why)
    why.set_defaults(run=run_why)
    show = verbs.add_parser("show", help="say what a file is: contract, frame, settings, code, inputs")
    show.add_argument("file")
    show.set_defaults(run=run_show)


def run_why(options: argparse.Namespace) -> int:
    """Print one line for each cause, first causes first; nothing stale prints one line too."""
    config = load_config(options)
    target = os.path.normpath(options.target)
    if os.path.isabs(target) and not os.path.isabs(config.results):
        target = os.path.relpath(target)
    lines = list(causes(config, target, {}))
    if not lines:
        print(f"{target} is up to date: no code, setting or input behind it has changed")
    for line in lines:
        print(line)
    return 0


def causes(config: Config, target: str, done: dict[str, bool]) -> Iterator[str]:
    """Lines that say why ``target`` is stale, those of its inputs first; ``done`` remembers paths already judged."""
    if target in done:
        return
    done[target] = False
    stage, wildcards = layout.locate(config.results, target)
    job = jobs.job(config, stage, **wildcards)
    stale_inputs = []
    for path in job.files:
        if path.startswith(f"{config.results}/"):
            yield from causes(config, path, done)
            if done.get(path):
                stale_inputs.append(path)
    own = list(_own_causes(job, target))
    yield from (f"{target}: {line}" for line in own)
    if stale_inputs and not own:
        more = f" and {len(stale_inputs) - 1} more" if len(stale_inputs) > 1 else ""
        yield f"{target}: its input {stale_inputs[0]}{more} will be made again"
    done[target] = bool(own or stale_inputs)


def _own_causes(job: jobs.Job, target: str) -> Iterator[str]:
    if not os.path.exists(target):
        yield "it does not exist"
        return
    made = record.read(target)
    if made is None:
        yield f"it has no run record {record.path_of(target).name}; nothing is known about its making"
        return
    yield from _differences("code", made["code"], provenance.code_parts(*job.modules))
    yield from _differences("setting", _flat(made["settings"]), _flat(job.settings))
    if made["inputs"] != job.inputs:
        before = {p for v in made["inputs"].values() for p in ([v] if isinstance(v, str) else v)}
        for path in sorted(set(job.files) ^ before):
            yield f"input {path} was {'added' if path in job.files else 'removed'}"
    newer = [
        path
        for path in map(os.path.expandvars, job.files)
        if os.path.exists(path) and os.path.getmtime(path) > os.path.getmtime(target)
    ]
    for path in newer[:3]:
        yield f"input {path} is newer"
    if len(newer) > 3:
        yield f"{len(newer) - 3} more inputs are newer"


def _differences(kind: str, before: dict[str, object], now: dict[str, object]) -> Iterator[str]:
    for key in sorted(before.keys() | now.keys()):
        if before.get(key) == now.get(key):
            continue
        if kind == "setting":
            yield f"setting {key} changed from {_text(before, key)} to {_text(now, key)}"
        else:
            verb = "changed" if key in before and key in now else "was added" if key in now else "was removed"
            yield f"code {key} {verb}"


def _text(values: dict[str, object], key: str) -> str:
    return json.dumps(values[key]) if key in values else "absent"


def _flat(values: object, prefix: str = "") -> dict[str, object]:
    if not isinstance(values, dict):
        return {prefix: values}
    flat: dict[str, object] = {}
    for key, value in values.items():
        flat.update(_flat(value, f"{prefix}.{key}" if prefix else str(key)))
    return flat


def run_show(options: argparse.Namespace) -> int:
    """Print what a file of the chain is and how it was made."""
    path = Path(options.file)
    if not path.is_file():
        raise FacemillError(f"no file {path}")
    if path.suffix == ".h5":
        _show_hdf5(path)
    elif path.suffix == ".json":
        print(f"{path}: JSON with the keys {', '.join(read_json(path))}")
    else:
        print(f"{path}: {path.stat().st_size} bytes")
    made = record.read(path)
    if made is None:
        print("no run record: this file was not made by a verb of the chain, or its record was removed")
        return 0
    print(f"made by: {made['command']}")
    print(f"  started {made['started']}, {made['seconds']} s, {made['peak_memory_mb']} MB at most")
    print(f"  settings: {json.dumps(made['settings'])}")
    for name, value in made["inputs"].items():
        print(f"  input {name}: {value if isinstance(value, str) else ', '.join(value) or 'none'}")
    for name, value in made["code"].items():
        print(f"  code {name}: {value}")
    return 0


def _show_hdf5(path: Path) -> None:
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise FacemillError(f"{path} is damaged or no HDF5 file ({error})") from error
    with file:
        print(f"{path}: {file.attrs.get('contract', 'no contract')} version {file.attrs.get('version', '?')}")
        for key in sorted(set(file.attrs) - {"contract", "version"}):
            print(f"  {key}: {file.attrs[key]}")
        for name, dataset in file.items():
            unit = dataset.attrs.get("unit", "")
            print(f"  {name} {dataset.shape} {dataset.dtype}{f' ({unit})' if unit else ''}")
