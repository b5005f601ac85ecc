"""One case of the sanity card."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """A case: what was to come out, what came out, and how far they may lie apart.

    group: analytic (a known answer), perturbed (a truth with noise of a known size) or published (predictions that
    others published, and the figure that they give). got: None where the evaluator gave no figure.
    """

    group: str
    protocol: str
    case: str
    expected: float
    got: float | None
    tolerance: float
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether the figure is within its tolerance."""
        return self.got is not None and bool(abs(self.got - self.expected) <= self.tolerance)

    def as_values(self) -> dict[str, Any]:
        """The case as JSON values."""
        return {**asdict(self), "ok": self.ok}

    def line(self) -> str:
        """The case as one printed line."""
        mark = "ok  " if self.ok else "OFF "
        got = "none" if self.got is None else f"{self.got:.6g}"
        said = f"expected {self.expected:.6g}, got {got}, tolerance {self.tolerance:g}"
        note = f"; {self.note}" if self.note else ""
        return f"{mark} {self.group:<9} {self.protocol:<28} {self.case}: {said}{note}"
