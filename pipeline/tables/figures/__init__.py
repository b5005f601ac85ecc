"""Figures over all models: one file each, and what they share: the page, the key, the values, the faces."""
