"""Evaluation: predictions stored once, protocols as data, one score per face, one JSON per model."""
