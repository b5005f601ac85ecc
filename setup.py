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


def fresh(built: Path, name: str) -> bool:
    """Whether the built file carries the digest of extension ``name``'s sources as they are now."""
    return built.is_file() and KERNELS.source_digest(name).encode() in built.read_bytes()


class BuildByDigest(build_ext):
    """build_ext that judges staleness by the digest inside the built file, not by times."""

    def build_extension(self, ext):
        name = ext.name.rpartition(".")[2]
        self.force = not fresh(Path(self.get_ext_fullpath(ext.name)), name)
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


def translated(name: str) -> Extension:
    """The extension with its .pyx translated to C, anew unless the built file in place is fresh."""
    in_place = (ROOT / "pipeline" / "_kernels").glob(f"{name}.*.so")
    return cythonize(
        [extension(name)],
        build_dir="build/cython",
        force=not any(fresh(built, name) for built in in_place),
        language_level=3,
        compiler_directives={
            "boundscheck": False,
            "wraparound": False,
            "cdivision": True,
            "initializedcheck": False,
        },
    )[0]


setup(
    ext_modules=[translated(name) for name in KERNELS.SOURCES],
    cmdclass={"build_ext": BuildByDigest},
)
