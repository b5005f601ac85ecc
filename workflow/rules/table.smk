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


rule table_lift:
    """Compare direct with lifted landmarks over several seeds, whatever seeds the run has."""
    input:
        unpack(inputs("table_lift")),
    output:
        **reported("table_lift", "Tables"),
    log:
        layout.log(RESULTS, "table_lift"),
    benchmark:
        layout.benchmark(RESULTS, "table_lift")
    params:
        job=task("table_lift"),
        code=code("table_lift"),
    shell:
        "python -m pipeline table_lift --job {params.job:q} > {log:q} 2>&1"


rule figure:
    """Draw one figure over all models as SVG and PNG."""
    input:
        unpack(inputs("figure")),
    output:
        **reported("figure", "Figures", "svg"),
    log:
        layout.log(RESULTS, "figure"),
    benchmark:
        layout.benchmark(RESULTS, "figure")
    params:
        job=task("figure"),
        code=code("figure"),
    shell:
        "python -m pipeline figure --job {params.job:q} > {log:q} 2>&1"
