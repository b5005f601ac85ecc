"""Metrics: pure numpy functions in double precision, one value per face, no argument ever written into."""
