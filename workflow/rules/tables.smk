rule tables:
    """Write one of the papers' tables as Markdown, CSV and LaTeX."""
    input:
        unpack(inputs("tables")),
    output:
        **outputs("tables"),
    log:
        layout.log(RESULTS, "tables"),
    benchmark:
        layout.benchmark(RESULTS, "tables")
    params:
        job=task("tables"),
        code=code("tables"),
    shell:
        "{PIPELINE} tables --job {params.job:q} > {log} 2>&1"
