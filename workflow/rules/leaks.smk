rule fingerprint:
    """Keep small grey pictures of every picture and face of one shard, to know copies by."""
    input:
        unpack(inputs("fingerprint")),
    output:
        **outputs("fingerprint"),
    log:
        layout.log(RESULTS, "fingerprint"),
    benchmark:
        layout.benchmark(RESULTS, "fingerprint")
    params:
        job=task("fingerprint"),
        code=code("fingerprint"),
    shell:
        "python -m pipeline fingerprint --job {params.job:q} > {log:q} 2>&1"


rule leaks:
    """Find the pictures of a training set that repeat a benchmark's, or one another, by name and by pixels."""
    input:
        unpack(inputs("leaks")),
    output:
        **outputs("leaks"),
    log:
        layout.log(RESULTS, "leaks"),
    benchmark:
        layout.benchmark(RESULTS, "leaks")
    params:
        job=task("leaks"),
        code=code("leaks"),
    shell:
        "python -m pipeline leaks --job {params.job:q} > {log:q} 2>&1"
