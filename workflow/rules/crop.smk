rule crop:
    """Cut each face of a shard by one frame's recipe, resampled once from the original pixels."""
    input:
        unpack(inputs("crop")),
    output:
        **outputs("crop"),
    log:
        layout.log(RESULTS, "crop"),
    benchmark:
        layout.benchmark(RESULTS, "crop")
    params:
        job=task("crop"),
        code=code("crop"),
    shell:
        "python -m pipeline crop --job {params.job:q} > {log:q} 2>&1"
