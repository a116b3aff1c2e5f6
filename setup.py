"""The build: everything stands in pyproject.toml but this, that the wheel carries `schemas/` and `rules/`."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = {"schemas": "schemas", "rules": "packs"}


class BuildWithResources(build_py):
    """Copies the folders that stand beside the package into it; an editable installation finds them where they are."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for folder, inside in SHIPPED.items():
                target = Path(self.build_lib) / "segrules" / inside
                shutil.rmtree(target, ignore_errors=True)
                shutil.copytree(folder, target, ignore=shutil.ignore_patterns("__pycache__", ".segrules", "data"))


setup(cmdclass={"build_py": BuildWithResources})
