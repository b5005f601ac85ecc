rule pack:
    """Write the kept faces of one split into one HDF5 file, its contract checked."""
    input:
        unpack(inputs("pack")),
    output:
        **outputs("pack"),
    log:
        layout.log(RESULTS, "pack"),
    benchmark:
        layout.benchmark(RESULTS, "pack")
    params:
        job=task("pack"),
        code=code("pack"),
    shell:
        "python -m pipeline pack --job {params.job:q} > {log:q} 2>&1"
