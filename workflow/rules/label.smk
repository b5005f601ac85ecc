rule label:
    """Make pseudo ground truth of one shard of detected faces, once for all frames."""
    input:
        unpack(inputs("label")),
    output:
        **outputs("label"),
    log:
        layout.log(RESULTS, "label"),
    benchmark:
        layout.benchmark(RESULTS, "label")
    params:
        job=task("label"),
        code=code("label"),
    shell:
        "python -m pipeline label --job {params.job:q} > {log:q} 2>&1"
