"""The stages of the chain, one file each: paths in, paths out, settings in."""
