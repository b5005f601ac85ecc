"""Data sets: readers that list pictures and read their annotations, one file each."""
