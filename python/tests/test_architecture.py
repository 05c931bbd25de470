"""The package's modules depend on each other only as docs/architecture.md says."""

from __future__ import annotations

import ast
import re
import unittest
from pathlib import Path

from . import support

PACKAGE = support.PYTHON / "ringlog"
DOCUMENT = support.ROOT / "docs" / "architecture.md"


def imported(path: Path) -> set[str]:
    """The modules of the package that a module imports, wherever in it it does."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            found.update(name for name in names if (PACKAGE / f"{name}.py").exists())
    return found


def foreign(path: Path) -> set[str]:
    """The top-level packages that a module imports from elsewhere."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.split(".")[0])
    return found


class ArchitectureTest(unittest.TestCase):
    def test_modules_import_what_the_document_says_and_only_what_stands_above(self) -> None:
        block = re.search(r"```python-deps\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
        assert block is not None
        said: dict[str, set[str]] = {}
        for line in block[1].splitlines():
            module, _, needs = line.partition("→")
            self.assertLessEqual(set(needs.split()), said.keys(), f"{module} comes too early")
            said[module.strip()] = set(needs.split())
        found = {path.stem: imported(path) for path in PACKAGE.glob("*.py")}
        self.assertEqual(found, said)

    def test_nothing_but_the_standard_library_is_imported(self) -> None:
        known = {
            "__future__", "argparse", "atexit", "base64", "collections", "contextlib",
            "contextvars", "ctypes", "datetime", "errno", "fcntl", "glob", "importlib", "json",
            "logging", "mmap", "multiprocessing", "numbers", "operator", "os", "platform", "re",
            "select", "shlex", "shutil", "stat", "struct", "subprocess", "sys", "tempfile",
            "threading", "time", "types", "typing", "unicodedata", "weakref", "zlib",
        }  # fmt: skip
        for path in PACKAGE.glob("*.py"):
            others = foreign(path) - known
            # For type checkers alone: a study brings its Optuna with it.
            self.assertEqual(others, {"optuna"} if path.stem == "optuna" else set(), path.name)


if __name__ == "__main__":
    unittest.main()
