"""Disks that are full, folders that cannot be written, files that are cut: one clear line, and nothing lost."""

import os
import resource
import subprocess
import sys

import pytest

PACK = "results/pack/fan192/posmap32/synth_test/test.h5"
PACK_VERB = (
    "pack",
    "--frame",
    "fan192",
    "--target",
    "posmap32",
    "--dataset",
    "synth_test",
    "--split",
    "test",
)
SMALL = ("--configfile", "small.yaml")


def refused(done, *words):
    """One line on standard error that holds the words, exit code 1."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    for word in words:
        assert word in lines[0], lines[0]


def limited(project, *arguments, size):
    """A verb in a process that may write no file above ``size`` bytes, as on a disk that runs full."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=project.path,
        text=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(project.path)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )


@pytest.mark.parametrize("missing", [None, 50], ids=["before the first sample", "at the end"])
def test_a_full_disk_while_packing_keeps_the_old_file(project, missing):
    before = (project.path / PACK).read_bytes()
    done = limited(project, *PACK_VERB, *SMALL, size=len(before) - missing if missing else 100_000)
    refused(done, "no space left", PACK, "--set results=FOLDER")
    assert (project.path / PACK).read_bytes() == before
    assert not list((project.path / PACK).parent.glob(".*.part"))


def test_a_full_disk_while_listing_says_so(project):
    done = limited(project, "source", "--dataset", "synth_test", *SMALL, size=10)
    refused(done, "no space left", "results/source/synth_test.tsv")


def test_a_results_folder_that_cannot_be_written(project):
    done = project.pipeline(
        "synthesise", "--dataset", "synth_test", "--shard", "0", *SMALL, "--set", "results=/proc/facemill"
    )
    refused(done, "cannot write /proc/facemill")


def test_a_truncated_pack_is_named_with_what_to_do(project):
    data = (project.path / PACK).read_bytes()
    (project.path / PACK).write_bytes(data[: len(data) // 2])
    done = project.pipeline("infer", "--model", "prn", "--seed", "0", "--benchmark", "synth_test", *SMALL)
    refused(done, PACK, "damaged", "delete it and run the same command again")


def test_a_missing_data_folder(project):
    done = project.pipeline(
        "source",
        "--dataset",
        "mine",
        *SMALL,
        "--set",
        "datasets.mine={reader: face_300w_lp, root: /nowhere/at/all}",
    )
    refused(done, "no data folder /nowhere/at/all", "datasets")


def test_what_cannot_be_printed_is_said_in_one_line(project):
    command = f"{sys.executable} -m pipeline ledger --configfile small.yaml > /dev/full"
    done = subprocess.run(command, shell=True, cwd=project.path, text=True, capture_output=True)
    refused(done, "No space left on device")


def test_a_results_folder_with_a_space_and_a_quote(project):
    results = "the people's results"
    target, option = f"{results}/source/synth_test.tsv", f"results={results}"
    done = project.snakemake(target, options=("--config", option))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project.path / target).is_file()
    assert (project.path / results / "logs").is_dir() and not (project.path / "the").exists()


def test_a_missing_input_is_named_with_the_command_that_makes_it(project):
    (project.path / PACK).unlink()
    done = project.pipeline("infer", "--model", "prn", "--seed", "0", "--benchmark", "synth_test", *SMALL)
    refused(done, f"no input {PACK}", f"snakemake -j8 {PACK}")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("crop", "--dataset", "synth_test"), ("expected --frame",)),
        (("detect", "--dataset", "synth_test", "--shard", "x"), ("shard: expected a whole number from 0",)),
        (("why", "results/eval/prn.json", "--configfile", "docs"), ("docs: cannot be read",)),
        (("train", "--model", "pnr", "--seed", "0"), ("unknown model 'pnr'", "Did you mean 'prn'")),
        (("why", "results/evil/prn.json"), ("no stage makes results/evil/prn.json",)),
        (("show", "results/nothing.h5"), ("no file results/nothing.h5",)),
        (("source", "--dataset", "synth_tset"), ("unknown data set", "Did you mean 'synth_test'")),
        (
            ("evaluate", "--model", "prn", "--weights", "nothing.safetensors"),
            ("no input nothing.safetensors",),
        ),
        (("ship",), ("trains no shipped network",)),
    ],
)
def test_verbs_refuse_in_one_line(project, arguments, words):
    more = () if arguments[0] == "show" else SMALL
    refused(project.pipeline(*arguments, *more), *words)
