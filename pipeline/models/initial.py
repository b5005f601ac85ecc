"""Initial weights that depend on a generator alone, for layers that draw their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def drawn(generator: torch.Generator | None) -> Iterator[None]:
    """Inside, torch's own random numbers come from ``generator`` (None: seed 0); outside they go on as if nothing was
    drawn."""
    generator = generator or torch.Generator().manual_seed(0)
    seed = int(torch.randint(2**62, (), generator=generator, device="cpu"))
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(seed)
        yield
