"""Reading and writing: pictures, tables, HDF5 by contract, and files that are whole or not there."""
