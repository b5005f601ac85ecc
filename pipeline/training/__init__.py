"""Training: the loop, its optimisers and states, batches and augmentation, and what each target trains on."""

import os

os.environ.setdefault(
    "OMP_WAIT_POLICY", "PASSIVE"
)  # read once, when torch loads: a thread that waits frees its core
