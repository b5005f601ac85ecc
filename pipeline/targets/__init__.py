"""Kinds of ground truth, one file each; each registers in TARGETS."""
