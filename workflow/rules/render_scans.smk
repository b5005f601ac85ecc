rule render_scans:
    """Render one shard of 3D scans at the papers' poses, with the scans as their truth."""
    input:
        unpack(inputs("render_scans")),
    output:
        **outputs("render_scans"),
    log:
        layout.log(RESULTS, "render_scans"),
    benchmark:
        layout.benchmark(RESULTS, "render_scans")
    params:
        job=task("render_scans"),
        code=code("render_scans"),
    shell:
        "python -m pipeline render_scans --job {params.job:q} > {log:q} 2>&1"
