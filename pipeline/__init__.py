"""Facemill: from raw face photos to trained 3D-face models and the tables of the papers."""

__version__ = "0.1.0"
