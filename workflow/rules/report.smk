rule report_page:
    """Write the page that holds tables, figures, ledger, costs and faces: one HTML file that opens offline."""
    input:
        unpack(inputs("report_page")),
    output:
        **reported("report_page", "Report", "brief"),
    log:
        layout.log(RESULTS, "report_page"),
    benchmark:
        layout.benchmark(RESULTS, "report_page")
    params:
        job=task("report_page"),
        code=code("report_page"),
    shell:
        "python -m pipeline report_page --job {params.job:q} > {log:q} 2>&1"
