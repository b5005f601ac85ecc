rule source:
    """List a data set: one row per picture, with its annotations, hash and licence."""
    input:
        unpack(inputs("source")),
    output:
        **outputs("source"),
    log:
        layout.log(RESULTS, "source"),
    benchmark:
        layout.benchmark(RESULTS, "source")
    params:
        job=task("source"),
        code=code("source"),
    shell:
        "python -m pipeline source --job {params.job:q} > {log:q} 2>&1"
