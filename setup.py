"""Builds as setup.cfg says, with configs and tools in the wheel as ``mmpar/.mim``."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithConfigs(build_py):
    """Puts them where OpenMMLab's packages and MIM look; a clone has them beside it."""

    def run(self) -> None:
        """Build the package, then add them."""
        super().run()
        if self.editable_mode:
            return
        extension = Path(self.build_lib) / "mmpar" / ".mim"
        shutil.rmtree(extension, ignore_errors=True)  # of an earlier build
        # Benchmarks compare with the slow forms in tests/, which no wheel has.
        ignore = shutil.ignore_patterns("__pycache__", "benchmarks")
        for folder in ("configs", "tools"):
            shutil.copytree(folder, extension / folder, ignore=ignore)
        shutil.copy("model-index.yml", extension)


setup(cmdclass=dict(build_py=BuildWithConfigs))
