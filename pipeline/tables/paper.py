"""What a paper's table prints, with where each number stands and how sure it is: the data of one file a table.

The numbers stand in Python, not in a file beside it, so that a corrected number changes the code digest and with it
reruns the table.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.records import FacemillError

UNVERIFIED = "from memory of the paper, unverified"
NOTES = "third-party notes of the paper"
ISSUE = "repository issues and notes"
README = "README of the authors' repository"
PICTURE = "read off a figure in the authors' repository"
SCRIPT = "typed into a legend of the authors' script"
INDEX = "excerpts of an index of papers"
RERUN = "published weights run by others"
RECOMPUTED = "recomputed from the authors' published files"
LOG = "log in the authors' repository"

LOST = "not recoverable from any source that we could read"
UNMEASURED = "never measured by the authors"

DATA_SETS = ("aflw2000", "aflw_lfpa", "aflw", "bu4dfe", "florence")
"""How the ids of benchmarks begin that hold a paper's own pictures."""


@dataclass(frozen=True)
class Heading:
    """What a number is printed of.

    data_set: of `DATA_SETS`, the paper's pictures. protocols: ours for it, the nearest first. statistic: a yaw bin,
    balanced, plain, median, or what a number without a protocol is. stands_in: the place in the paper. beside: whether
    ours may stand beside it; not where the number is of pictures or of a quantity that no benchmark has.
    """

    data_set: str | None
    protocols: tuple[str, ...]
    statistic: str
    stands_in: str
    beside: bool = True


@dataclass(frozen=True)
class Method:
    """A method of the paper's table and its numbers.

    values: one a heading; None where the table has no number, a text (`LOST`, `UNMEASURED`) where it has one that is
    not known. certainty: of all numbers, or one a number. ours: ids of the models that re-implement it. stands_in:
    where the numbers stand when that is not the headings' place.
    """

    name: str
    certainty: str | tuple[str | None, ...]
    values: tuple[float | str | None, ...]
    ours: tuple[str, ...] = ()
    stands_in: str = ""

    def printed(self, number: int) -> tuple[float | None, str]:
        """The number under a heading, None if it is not known, and how sure it is."""
        value = self.values[number]
        if isinstance(value, str):
            return None, value
        certainty = self.certainty if isinstance(self.certainty, str) else self.certainty[number]
        return value, certainty or ""


@dataclass(frozen=True)
class Part:
    """A part of a table: its headings, and the methods that have numbers under them."""

    headings: tuple[Heading, ...]
    methods: tuple[Method, ...]

    def __post_init__(self) -> None:
        for method in self.methods:
            lengths = [len(v) for v in (method.values, method.certainty) if isinstance(v, tuple)]
            if set(lengths) != {len(self.headings)}:
                raise FacemillError(
                    f"{method.name}: expected {len(self.headings)} values and certainties, one a heading, found "
                    f"{' and '.join(map(str, lengths))}"
                )


@dataclass(frozen=True)
class Paper:
    """A paper's table: a caption, its parts, and what should be known of its numbers.

    digits: behind the point of what is printed.
    """

    caption: str
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()
    digits: int = 2

    @property
    def headings(self) -> list[Heading]:
        """The headings of all parts."""
        return [heading for part in self.parts for heading in part.headings]


def by_yaw(data_set: str, protocols: tuple[str, ...], stands_in: str) -> tuple[Heading, ...]:
    """The four headings that tables since 3DDFA share: three bins of yaw, and the mean of these means."""
    return tuple(
        Heading(data_set, protocols, name, stands_in) for name in ("0-30", "30-60", "60-90", "balanced")
    )


def data_set_of(benchmark: str) -> str | None:
    """The data set whose pictures a benchmark holds, by its id; None for one of no paper."""
    fitting = [name for name in DATA_SETS if benchmark.startswith(name)]
    return max(fitting, key=len, default=None)
