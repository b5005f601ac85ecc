rule check_protocols:
    """Hold every protocol against cases with known answers: the sanity card."""
    input:
        unpack(inputs("check_protocols")),
    output:
        **reported("check_protocols", "Protocols"),
    log:
        layout.log(RESULTS, "check_protocols"),
    benchmark:
        layout.benchmark(RESULTS, "check_protocols")
    params:
        job=task("check_protocols"),
        code=code("check_protocols"),
    shell:
        "python -m pipeline check_protocols --job {params.job:q} > {log:q} 2>&1"
