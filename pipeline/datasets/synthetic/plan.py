"""What picture number i of a synthetic data set is, from (seed, data set id, i) and the shares alone.

Kinds are dealt by the golden-ratio sequence: u_i = frac(offset + i / phi) visits every interval in proportion to its
length, so the counts of each kind are exact to about one for any number of pictures, and a longer data set starts
with the shorter one.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING

from pipeline.records import FacemillError
from pipeline.seeding import rng

if TYPE_CHECKING:
    from pipeline.config import SyntheticSettings

_GOLDEN = (5**0.5 - 1) / 2
_LOOK_BACK = 400


class Kind(Enum):
    """What a picture shows, or what is wrong with its files."""

    ORDINARY = "ordinary"
    NONE = "none"
    SEVERAL = "several"
    HARD = "hard"
    IMPOSSIBLE = "impossible"
    CUT = "cut"
    BROKEN = "broken"
    DUPLICATE = "duplicate"
    UNREADABLE = "unreadable"


_SHARES = {kind: f"share_{kind.value}" for kind in Kind if kind is not Kind.ORDINARY}


def kind_of(settings: SyntheticSettings, seed: int, dataset: str, index: int) -> Kind:
    """The kind of picture ``index``; FacemillError when the shares add up to more than 1."""
    shares = {kind: getattr(settings, name) for kind, name in _SHARES.items()}
    total = sum(shares.values())
    if total > 1 + 1e-9:
        raise FacemillError(
            f"{dataset}: the shares of picture kinds add up to {total:.3f}, expected at most 1; "
            f"lower one of {', '.join(_SHARES.values())}"
        )
    position = (rng(seed, dataset, "kinds").random() + index * _GOLDEN) % 1.0
    for kind, share in shares.items():
        if position < share:
            return kind
        position -= share
    return Kind.ORDINARY


def original_of(settings: SyntheticSettings, seed: int, dataset: str, index: int) -> int:
    """The earlier ordinary picture that the duplicate ``index`` repeats, or ``index`` itself where there is none."""
    for earlier in range(index - 1, max(-1, index - _LOOK_BACK), -1):
        if kind_of(settings, seed, dataset, earlier) is Kind.ORDINARY:
            return earlier
    return index


def picture_id(index: int, identity: int | None) -> str:
    """The file name of picture ``index`` without its ending: 300W-LP's X_i_j with the person as X and j = 0.

    So whoever splits by X splits by person. A picture without a face belongs to nobody and is its own group.
    """
    return f"SYN_{'none' if identity is None else f'{identity:04d}'}_{index:05d}_0"


def shard_indices(pictures: int, shard: int, shards: int) -> Iterator[int]:
    """The pictures of shard ``shard`` of ``shards``; FacemillError for a shard that does not exist."""
    if not 0 <= shard < shards:
        raise FacemillError(f"expected a shard from 0 to {shards - 1}, found {shard}")
    return iter(range(shard, pictures, shards))
