"""Timings of the parts, and the limits that a finished run must keep."""
