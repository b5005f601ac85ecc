"""Builds the Cython extensions and nothing else; the package itself is described in pyproject.toml.

``python setup.py build_ext --inplace`` writes ``pipeline/_kernels/*.so``. The flags are portable: no
``-march=native``; the headers in ``ext/include`` choose wide instructions at run time instead, and
``-ffp-contract=off`` makes every processor round alike.
"""

import importlib.util
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent


def load_kernels():
    """pipeline/_kernels/__init__.py as a module, without importing the package around it."""
    spec = importlib.util.spec_from_file_location("kernels", ROOT / "pipeline/_kernels/__init__.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


KERNELS = load_kernels()


class BuildByDigest(build_ext):
    """build_ext that judges staleness by the digest inside the built file, not by times."""

    def build_extension(self, ext):
        built = Path(self.get_ext_fullpath(ext.name))
        digest = KERNELS.source_digest(ext.name.rpartition(".")[2])
        self.force = not (built.is_file() and digest.encode() in built.read_bytes())
        super().build_extension(ext)


def extension(name: str) -> Extension:
    """One extension with its digest compiled in as FACEMILL_SOURCE_DIGEST."""
    return Extension(
        f"pipeline._kernels.{name}",
        [f"ext/{name}.pyx"],
        include_dirs=["ext/include"],
        depends=[f"ext/{source}" for source in KERNELS.SOURCES[name][1:]],
        define_macros=[("FACEMILL_SOURCE_DIGEST", f'"{KERNELS.source_digest(name)}"')],
        extra_compile_args=[
            "-O3",
            "-ffp-contract=off",
            "-fno-math-errno",
            "-fno-trapping-math",
            "-std=gnu11",
        ],
    )


setup(
    ext_modules=cythonize(
        [extension(name) for name in KERNELS.SOURCES],
        build_dir="build/cython",
        language_level=3,
        compiler_directives={
            "boundscheck": False,
            "wraparound": False,
            "cdivision": True,
            "initializedcheck": False,
        },
    ),
    cmdclass={"build_ext": BuildByDigest},
)
