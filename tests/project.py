"""Copies of the project in which a test may edit code, and the small base run that the chain's tests share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pipeline import provenance

ROOT = Path(__file__).resolve().parents[1]
TOP = ("pipeline", "ext", "workflow", "Snakefile", "config.yaml", "setup.py", "pyproject.toml", "docs")
SMALL = """\
results: results
shards: 2
datasets:
  synth_train: {validation: 0.2, synthetic: {pictures: 18, identities: 9, share_several: 0.1, share_none: 0.1}}
  synth_test: {synthetic: {pictures: 12, identities: 12}}
targets: {posmap32: {kind: posmap, size: 32}}
models: {prn: {target: posmap32, settings: {size: 32, width: 16}}}
systems: [prn]
training: {updates: 6, warmup: 1, validate_every: 3, save_every: 2, log_every: 2, threads: 1}
evaluation: {protocols: [nme68_2d, nme68_3d, head_pose]}
"""
TARGET = "results/eval/prn.json"
UNCOVERED = provenance.PLUMBING | {"pipeline.__main__"} | set(provenance.code_parts("pipeline.io.sources"))
"""What a job may load and its digest need not cover: the plumbing, and the table that `io.published` names files by. Of
a stage that computes with that table, it is among the imports."""


@dataclass(frozen=True)
class Project:
    """A copy of the project with its own results."""

    path: Path

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment in the copy."""
        program = [str(Path(sys.executable).parent / arguments[0]), *arguments[1:]]
        more = {"PYTHONPATH": str(self.path), "HOME": str(self.path), **environment}
        return subprocess.run(
            program, cwd=self.path, text=True, capture_output=True, env={**os.environ, **more}
        )

    def snakemake(self, *targets: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """``snakemake`` with the small configuration and any further overlays and options."""
        overlays = [option for option in options if option.endswith(".yaml")]
        others = [option for option in options if not option.endswith(".yaml")]
        return self.run("snakemake", *targets, "-j2", *others, "--configfile", "small.yaml", *overlays)

    def planned(self, *options: str) -> set[str]:
        """The rules that would run now for the JSON."""
        done = self.snakemake(TARGET, options=("-n", *options))
        assert done.returncode == 0, done.stdout + done.stderr
        text = done.stdout + done.stderr
        return {line.split()[1].rstrip(":") for line in text.splitlines() if line.startswith("rule ")}

    def pipeline(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """``python -m pipeline`` in the copy."""
        return self.run("python", "-m", "pipeline", *arguments, **environment)

    def edit(self, name: str, before: str, after: str) -> None:
        """Replace a text that stands in a file exactly once."""
        path = self.path / name
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{name} holds {text.count(before)} of {before!r}"
        path.write_text(text.replace(before, after), encoding="utf-8")

    def copy(self, to: Path) -> Project:
        """Another copy, with the results and Snakemake's memory, times kept."""
        shutil.copytree(self.path, to, symlinks=True)
        return Project(to)


def fresh(to: Path) -> Project:
    """A copy of the project without results."""
    to.mkdir(parents=True)
    for name in TOP:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, to / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, to / name)
    (to / "small.yaml").write_text(SMALL, encoding="utf-8")
    return Project(to)
