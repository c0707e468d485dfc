"""Run where only the wheel and attrs are installed: the core needs nothing else."""

import importlib
import pkgutil
import re
from importlib.metadata import distributions
from pathlib import Path

import ocs_core

installed = {d.metadata["Name"].lower() for d in distributions()} - {"pip", "setuptools", "wheel"}
assert installed == {"ocs-rm", "attrs"}, installed

modules = [m.name for m in pkgutil.walk_packages(ocs_core.__path__, "ocs_core.") if ".testkit" not in m.name]
for name in modules:
    importlib.import_module(name)

readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
(example,) = re.findall(r"<!-- embedding -->\n```python\n(.*?)```", readme, re.DOTALL)
exec(compile(example, "README.md", "exec"), {})  # noqa: S102 - the example is ours, and this is its test
print(f"{len(modules)} modules and the README's example, with attrs alone")
