rule train:
    """Train one model with one seed; a killed training goes on where it was."""
    input:
        unpack(inputs("train")),
    output:
        **outputs("train"),
    log:
        layout.log(RESULTS, "train"),
    benchmark:
        layout.benchmark(RESULTS, "train")
    threads: threads_of("train")
    resources:
        gpu=gpus_of("train"),
        trainings=1,
        upkeep=upkeep_of("train"),
    params:
        job=task("train"),
        code=code("train"),
    shell:
        "python -m pipeline train --job {params.job:q} --upkeep {resources.upkeep:q} > {log:q} 2>&1"
