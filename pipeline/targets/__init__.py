"""Kinds of ground truth: position maps, volumes, parameters, landmarks; one file each."""
