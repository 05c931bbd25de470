"""Reads pyproject.toml and writes core metadata of it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The keys of [project] that are understood: a new one must not be dropped silently.
_KEYS = {
    "name",
    "dynamic",
    "description",
    "readme",
    "requires-python",
    "license",
    "authors",
    "keywords",
    "classifiers",
}


@dataclass(frozen=True)
class Metadata:
    name: str
    version: str
    text: bytes  # what METADATA and PKG-INFO have

    @property
    def stem(self) -> str:
        return f"{self.name}-{self.version}"

    @property
    def dist_info(self) -> str:
        return f"{self.stem}.dist-info"


def read_metadata(root: Path) -> Metadata:
    """Reads the metadata of the project in root. Its version is ringlog.__version__, found
    without an import: what builds need not be able to run what is built."""
    tables = read_toml((root / "pyproject.toml").read_text(encoding="utf-8"))
    project = tables["project"]
    if project.keys() != _KEYS:
        raise ValueError(f"pyproject.toml: [project]: want the keys {sorted(_KEYS)}")
    source = (root / "ringlog" / "__init__.py").read_text(encoding="utf-8")
    version = re.search(r'^__version__ = "([0-9][0-9a-z.]*)"$', source, re.MULTILINE)
    if version is None:
        raise ValueError('ringlog/__init__.py: want a line like __version__ = "1.2.3"')
    fields = [
        ("Metadata-Version", "2.4"),
        ("Name", project["name"]),
        ("Version", version[1]),
        ("Summary", project["description"]),
        *(("Author", author["name"]) for author in project["authors"]),
        ("License-Expression", project["license"]),
        ("License-File", "LICENSE"),
        ("Keywords", ",".join(project["keywords"])),
        *(("Classifier", classifier) for classifier in project["classifiers"]),
        *(("Project-URL", f"{k}, {url}") for k, url in tables["project.urls"].items()),
        ("Requires-Python", project["requires-python"]),
        ("Description-Content-Type", "text/markdown; charset=UTF-8"),
    ]
    header = "".join(f"{key}: {value}\n" for key, value in fields)
    readme = (root / project["readme"]).read_text(encoding="utf-8")
    return Metadata(project["name"], version[1], f"{header}\n{readme}".encode())


def read_toml(text: str) -> dict[str, dict[str, Any]]:
    """Reads the little of TOML that pyproject.toml uses: tables of strings, booleans, arrays
    and inline tables. tomllib, which reads all of it, is of Python 3.11; the tests compare."""
    tables: dict[str, dict[str, Any]] = {}
    table: dict[str, Any] | None = None
    lines = enumerate(text.splitlines(), 1)
    for number, line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        header = re.fullmatch(r"\[([a-z.-]+)\]", line)
        if header:
            table = tables.setdefault(header[1], {})
            continue
        pair = re.fullmatch(r"([A-Za-z_-]+) = (.+)", line)
        if pair is None or table is None:
            raise ValueError(f"pyproject.toml:{number}: want [table] or key = value: {line}")
        value = pair[2]
        if value == "[":  # an array of several lines ends at a bracket alone
            for _, line in lines:
                value += line
                if line == "]":
                    break
        table[pair[1]] = _value(value, number)
    return tables


def _value(text: str, number: int) -> Any:
    # TOML's strings without escapes, and its arrays, are Python's literals; inline tables
    # and booleans become so.
    literal = re.sub(r"([{,] *)([a-z-]+) = ", r'\1"\2": ', text)
    literal = {"true": "True", "false": "False"}.get(literal, literal)
    try:
        if "\\" in text or "#" in text or "'" in text:
            raise ValueError("escapes, comments and single quotes are not understood")
        return ast.literal_eval(literal)
    except (ValueError, SyntaxError) as err:
        raise ValueError(f"pyproject.toml:{number}: {text}: {err}") from err
