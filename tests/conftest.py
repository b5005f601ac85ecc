"""What holds for every test: numpy and torch compute with one thread, set before either is imported."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
