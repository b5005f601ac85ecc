"""Training losses with named parts."""
