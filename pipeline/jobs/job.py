"""One job of the chain: what it reads, what it writes, which settings and which code decide it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline import provenance

Parts = tuple[dict[str, Any], dict[str, Any], tuple[str, ...]]
"""Inputs, settings and modules of a job, as each stage's describing function gives them."""


@dataclass(frozen=True)
class Job:
    """One job: inputs and outputs by name (a path, or a list of paths), settings, and the modules that decide it.

    upkeep: settings that change how a training runs, and no byte of what it leaves.
    """

    stage: str
    wildcards: dict[str, str]
    inputs: dict[str, str | list[str]]
    outputs: dict[str, str]
    settings: dict[str, Any]
    modules: tuple[str, ...]
    upkeep: dict[str, Any] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The digest of the code that decides the result."""
        return provenance.code_digest(*self.modules)

    def as_json(self) -> str:
        """The job without its upkeep as canonical JSON, the form in which rules hand it to verbs."""
        values = asdict(self)
        del values["upkeep"]
        return _canonical(values)

    def upkeep_as_json(self) -> str:
        """The upkeep in the same form; rules hand it on beside the job, since a change of it makes nothing stale."""
        return _canonical(self.upkeep)

    @classmethod
    def from_json(cls, text: str, upkeep: str | None = None) -> Job:
        """The job that ``as_json`` wrote, with the upkeep that ``upkeep_as_json`` wrote; without one, the defaults."""
        values = json.loads(text)
        return cls(**{**values, "modules": tuple(values["modules"])}, upkeep=json.loads(upkeep or "{}"))

    @property
    def all_settings(self) -> dict[str, Any]:
        """What the stage gets to see: the settings, and the upkeep in its place among those of the training."""
        if not self.upkeep:
            return self.settings
        return {**self.settings, "training": {**self.settings["training"], **self.upkeep}}

    @property
    def command(self) -> str:
        """What a person types for this job."""
        return " ".join(
            ["python -m pipeline", self.stage, *(f"--{k} {v}" for k, v in self.wildcards.items())]
        )

    @property
    def settings_digest(self) -> str:
        """A hash of the settings, as HDF5 files carry it."""
        text = json.dumps(self.settings, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def attributes(self) -> dict[str, str]:
        """What every HDF5 file of this job carries about its making; nothing here differs between two equal runs."""
        libraries = {
            name[len("library ") :]: value
            for name, value in provenance.code_parts(*self.modules).items()
            if name.startswith("library ")
        }
        return {
            "frame": self.wildcards.get("frame", "picture"),
            "units": "pixels",
            "config_hash": self.settings_digest,
            "code_digest": self.code,
            "libraries": json.dumps(libraries, sort_keys=True),
            "command": self.command,
        }

    @property
    def files(self) -> list[str]:
        """All input paths."""
        return [p for value in self.inputs.values() for p in ([value] if isinstance(value, str) else value)]


def _canonical(values: dict[str, Any]) -> str:
    return json.dumps(values, sort_keys=True, separators=(",", ":"))
