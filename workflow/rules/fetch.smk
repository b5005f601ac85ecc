rule fetch:
    """See to one file of published weights, before any job reads it; downloads nothing that is there."""
    input:
        unpack(inputs("fetch")),
    output:
        **outputs("fetch"),
    log:
        layout.log(RESULTS, "fetch"),
    benchmark:
        layout.benchmark(RESULTS, "fetch")
    localrule: True
    params:
        job=task("fetch"),
        code=code("fetch"),
    shell:
        "python -m pipeline fetch --job {params.job:q} > {log:q} 2>&1"
