"""Packaging of Sundog and of the lab that rehearses it."""
import runpy
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = runpy.run_path(str(HERE / "lib/sundog/version.py"))["VERSION"]

setup(
    name="sundog",
    version=VERSION,
    description="High availability for Solaris 11.4 and illumos",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MPL-2.0",
    python_requires=">=3.9",
    package_dir={"": "lib"},
    packages=find_packages("lib"),
    include_package_data=True,
    install_requires=["PyYAML>=5.4", "click>=8.0"],
    extras_require={
        "terminal": ["rich>=12"],
        "zookeeper": ["kazoo>=2.8"],
        "serial": ["pyserial>=3.5"],
        "test": ["pytest", "pytest-xdist", "pytest-timeout", "hypothesis", "ruff", "mypy", "types-PyYAML",
                 "types-pyserial"],
    },
    entry_points={"console_scripts": [
        "sundog = sundog.cli.main:main",
        "sundogd = sundog.daemon.start:main",
        "sundog-failfast = sundog.daemon.failfast_main:main",
        "sunlab = sunlab.cli:main",
    ]},
)
