rule table:
    """Write one of the papers' tables as Markdown, CSV and LaTeX."""
    input:
        unpack(inputs("table")),
    output:
        **reported("table", "Tables"),
    log:
        layout.log(RESULTS, "table"),
    benchmark:
        layout.benchmark(RESULTS, "table")
    params:
        job=task("table"),
        code=code("table"),
    shell:
        "python -m pipeline table --job {params.job:q} > {log:q} 2>&1"
