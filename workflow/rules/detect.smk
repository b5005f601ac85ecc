rule detect:
    """Find faces and their 68 landmarks in one shard of pictures, once for all frames."""
    input:
        unpack(inputs("detect")),
    output:
        **outputs("detect"),
    log:
        layout.log(RESULTS, "detect"),
    benchmark:
        layout.benchmark(RESULTS, "detect")
    resources:
        gpu=gpus_of("detect", "detection"),
    params:
        job=task("detect"),
        code=code("detect"),
    shell:
        "python -m pipeline detect --job {params.job:q} > {log:q} 2>&1"
