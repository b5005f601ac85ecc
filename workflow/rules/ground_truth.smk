rule ground_truth:
    """Turn annotations into targets in the crop's frame: position maps, volumes, parameters."""
    input:
        unpack(inputs("ground_truth")),
    output:
        **outputs("ground_truth"),
    log:
        layout.log(RESULTS, "ground_truth"),
    benchmark:
        layout.benchmark(RESULTS, "ground_truth")
    params:
        job=task("ground_truth"),
        code=code("ground_truth"),
    shell:
        "python -m pipeline ground_truth --job {params.job:q} > {log:q} 2>&1"
