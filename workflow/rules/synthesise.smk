rule synthesise:
    """Render one shard of a synthetic data set in 300W-LP's own format."""
    input:
        unpack(inputs("synthesise")),
    output:
        **outputs("synthesise"),
    log:
        layout.log(RESULTS, "synthesise"),
    benchmark:
        layout.benchmark(RESULTS, "synthesise")
    params:
        job=task("synthesise"),
        code=code("synthesise"),
    shell:
        "python -m pipeline synthesise --job {params.job:q} > {log:q} 2>&1"
