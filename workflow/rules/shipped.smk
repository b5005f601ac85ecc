rule train_shipped:
    """Train a network that the package ships; nothing else depends on it."""
    input:
        unpack(inputs("train_shipped")),
    output:
        **outputs("train_shipped"),
    log:
        layout.log(RESULTS, "train_shipped"),
    benchmark:
        layout.benchmark(RESULTS, "train_shipped")
    threads: threads_of("train_shipped")
    resources:
        gpu=gpus_of("train_shipped"),
        trainings=1,
        upkeep=upkeep_of("train_shipped"),
    params:
        job=task("train_shipped"),
        code=code("train_shipped"),
    shell:
        "python -m pipeline train_shipped --job {params.job:q} --upkeep {resources.upkeep:q} > {log:q} 2>&1"


rule census:
    """Compare detection and the ledger with the synthesiser's truth."""
    input:
        unpack(inputs("census")),
    output:
        **outputs("census"),
    log:
        layout.log(RESULTS, "census"),
    benchmark:
        layout.benchmark(RESULTS, "census")
    params:
        job=task("census"),
        code=code("census"),
    shell:
        "python -m pipeline census --job {params.job:q} > {log:q} 2>&1"
