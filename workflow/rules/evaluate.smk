rule infer:
    """Predict every face of a benchmark with one trained model, stored once."""
    input:
        unpack(inputs("infer")),
    output:
        **outputs("infer"),
    log:
        layout.log(RESULTS, "infer"),
    benchmark:
        layout.benchmark(RESULTS, "infer")
    params:
        job=task("infer"),
        code=code("infer"),
    shell:
        "python -m pipeline infer --job {params.job:q} > {log:q} 2>&1"


rule infer_tddfa:
    """Predict every face of a benchmark with 3DDFA_V2's released network, stored once."""
    input:
        unpack(inputs("infer_tddfa")),
    output:
        **outputs("infer_tddfa"),
    log:
        layout.log(RESULTS, "infer_tddfa"),
    benchmark:
        layout.benchmark(RESULTS, "infer_tddfa")
    params:
        job=task("infer_tddfa"),
        code=code("infer_tddfa"),
    shell:
        "python -m pipeline infer_tddfa --job {params.job:q} > {log:q} 2>&1"


rule score:
    """Score stored predictions by every protocol, one row per face."""
    input:
        unpack(inputs("score")),
    output:
        **outputs("score"),
    log:
        layout.log(RESULTS, "score"),
    benchmark:
        layout.benchmark(RESULTS, "score")
    params:
        job=task("score"),
        code=code("score"),
    shell:
        "python -m pipeline score --job {params.job:q} > {log:q} 2>&1"


rule evaluate:
    """Gather the scores of a model on all benchmarks into results/eval/<model>.json."""
    input:
        unpack(inputs("evaluate")),
    output:
        **reported("evaluate", "Results"),
    log:
        layout.log(RESULTS, "evaluate"),
    benchmark:
        layout.benchmark(RESULTS, "evaluate")
    params:
        job=task("evaluate"),
        code=code("evaluate"),
    shell:
        "python -m pipeline evaluate --job {params.job:q} > {log:q} 2>&1"


rule sheet:
    """Draw the best, median and worst faces of a model with their predicted meshes."""
    input:
        unpack(inputs("sheet")),
    output:
        **reported("sheet", "Faces"),
    log:
        layout.log(RESULTS, "sheet"),
    benchmark:
        layout.benchmark(RESULTS, "sheet")
    params:
        job=task("sheet"),
        code=code("sheet"),
    shell:
        "python -m pipeline sheet --job {params.job:q} > {log:q} 2>&1"
