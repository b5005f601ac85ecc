"""Random generators from names: every draw of the pipeline depends on keys, never on order or on a global state."""

from __future__ import annotations

import hashlib

import numpy as np


def seed_of(*keys: object) -> int:
    """A 128-bit integer from any keys (text of each, in order)."""
    text = "\x1f".join(str(key) for key in keys)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")


def rng(*keys: object) -> np.random.Generator:
    """A generator that depends on the keys alone: the same keys give the same numbers in any process and order."""
    return np.random.Generator(np.random.PCG64(seed_of(*keys)))


def shard_of(identifier: str, shards: int) -> int:
    """The shard, 0 to shards - 1, that a picture belongs to: a hash of its id, so that the DAG stays static."""
    return int.from_bytes(hashlib.sha256(identifier.encode()).digest()[:8], "big") % shards
