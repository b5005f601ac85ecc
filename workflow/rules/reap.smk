rule reap:
    """Join the status rows of all stages: what is kept, what is reaped and why; deletes nothing."""
    input:
        unpack(inputs("reap")),
    output:
        **outputs("reap"),
    log:
        layout.log(RESULTS, "reap"),
    benchmark:
        layout.benchmark(RESULTS, "reap")
    params:
        job=task("reap"),
        code=code("reap"),
    shell:
        "python -m pipeline reap --job {params.job:q} > {log:q} 2>&1"


rule contact_sheet:
    """Draw examples of every reason for which a face of a data set was reaped."""
    input:
        unpack(inputs("contact_sheet")),
    output:
        **reported("contact_sheet", "Ledger"),
    log:
        layout.log(RESULTS, "contact_sheet"),
    benchmark:
        layout.benchmark(RESULTS, "contact_sheet")
    params:
        job=task("contact_sheet"),
        code=code("contact_sheet"),
    shell:
        "python -m pipeline contact_sheet --job {params.job:q} > {log:q} 2>&1"


rule ledger:
    """Count pictures, faces, kept and reaped per data set, and check that they balance."""
    input:
        unpack(inputs("ledger")),
    output:
        **reported("ledger", "Ledger"),
    log:
        layout.log(RESULTS, "ledger"),
    benchmark:
        layout.benchmark(RESULTS, "ledger")
    params:
        job=task("ledger"),
        code=code("ledger"),
    shell:
        "python -m pipeline ledger --job {params.job:q} > {log:q} 2>&1"
