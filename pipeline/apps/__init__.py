"""Applications of trained models."""
