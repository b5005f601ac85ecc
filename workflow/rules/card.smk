rule learning_curves:
    """Draw the losses and validations of all of a model's trainings."""
    input:
        unpack(inputs("learning_curves")),
    output:
        **reported("learning_curves", "Training", "svg"),
    log:
        layout.log(RESULTS, "learning_curves"),
    benchmark:
        layout.benchmark(RESULTS, "learning_curves")
    params:
        job=task("learning_curves"),
        code=code("learning_curves"),
    shell:
        "python -m pipeline learning_curves --job {params.job:q} > {log:q} 2>&1"


rule card:
    """Write the card of a model: what it is, data, code, licences, results, use and limits."""
    input:
        unpack(inputs("card")),
    output:
        **reported("card", "Training", "markdown"),
    log:
        layout.log(RESULTS, "card"),
    benchmark:
        layout.benchmark(RESULTS, "card")
    params:
        job=task("card"),
        code=code("card"),
    shell:
        "python -m pipeline card --job {params.job:q} > {log:q} 2>&1"
