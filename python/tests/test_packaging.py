"""The backend's archives: what is in them, and that they install where there is no network."""

from __future__ import annotations

import base64
import csv
import email.parser
import hashlib
import importlib.util
import io
import json
import os
import re
import shutil
import stat
import struct
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile
from pathlib import Path
from typing import Any
from unittest import mock

from tests import support

sys.path.insert(0, str(support.PYTHON / "backend"))
import ringlog_build  # noqa: E402
from ringlog_build_metadata import read_toml  # noqa: E402
from ringlog_build_platform import platforms  # noqa: E402

sys.path.pop(0)

DIST_INFO = re.compile(r"ringlog-[0-9][0-9a-z.]*\.dist-info")

# What is told of an installed ringlog: by Python in its environment, outside the checkout.
TELL = """
import importlib.metadata, json, os, subprocess, ringlog
d = importlib.metadata.distribution("ringlog")
binary = os.path.join(os.path.dirname(ringlog.__file__), "bin", "ringlog")
print(json.dumps({
    "name": d.metadata["Name"], "version": d.version, "requires": d.metadata["Requires-Python"],
    "imported": ringlog.__version__, "from": ringlog.__file__,
    "files": [str(f) for f in d.files],
    "missing": [str(f) for f in d.files if not f.locate().exists()],
    "says": subprocess.run([binary, "--version"], stdout=subprocess.PIPE, encoding="utf-8").stdout
        if os.path.exists(binary) else None,
}))
"""

LOG = """
import ringlog, sys
ringlog.setup_multiprocessing_logging(log_dir=sys.argv[1])
ringlog.setup_logger("smoke", use_multiprocessing=True).info("installed and at work")
ringlog.shutdown_multiprocessing_logging()
"""


def build(test: unittest.TestCase, binary: str | None) -> zipfile.ZipFile:
    directory = support.folder(test)
    settings = None if binary is None else {"binary": binary}
    wheel = zipfile.ZipFile(directory / ringlog_build.build_wheel(str(directory), settings))
    test.addCleanup(wheel.close)
    return wheel


def in_dist_info(wheel: zipfile.ZipFile, name: str) -> bytes:
    folder = next(m[0] for m in map(DIST_INFO.match, wheel.namelist()) if m)
    return wheel.read(f"{folder}/{name}")


def binary_of(machine: int, segment: int = 1) -> bytes:
    """An ELF header for a machine, with one segment of a type."""
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    return ident + header + struct.pack("<I", segment) + bytes(52)


class Wheel(unittest.TestCase):
    def test_a_wheel_with_a_binary_says_on_which_platforms_it_runs(self) -> None:
        wheel = build(self, support.ringlog())
        name = os.path.basename(str(wheel.filename))
        tagged = re.fullmatch(r"ringlog-([0-9a-z.]+)-py3-none-([a-z0-9_.]+)\.whl", name)
        assert tagged is not None, name
        self.assertIn(
            tagged[2],
            [
                f"manylinux_2_17_{arch}.manylinux2014_{arch}.musllinux_1_1_{arch}"
                for arch in ("x86_64", "aarch64")
            ],
        )
        about = email.parser.BytesParser().parsebytes(in_dist_info(wheel, "WHEEL"))
        self.assertEqual(
            about.get_all("Tag"), [f"py3-none-{platform}" for platform in tagged[2].split(".")]
        )
        self.assertEqual(about["Root-Is-Purelib"], "false")

    def test_its_binary_is_executable_and_nothing_else_is(self) -> None:
        wheel = build(self, support.ringlog())
        for info in wheel.infolist():
            mode = info.external_attr >> 16
            want = 0o755 if info.filename == "ringlog/bin/ringlog" else 0o644
            self.assertEqual(mode, stat.S_IFREG | want, info.filename)
        self.assertEqual(wheel.read("ringlog/bin/ringlog"), Path(support.ringlog()).read_bytes())

    def test_a_wheel_without_a_binary_is_for_any_platform(self) -> None:
        wheel = build(self, None)
        self.assertTrue(str(wheel.filename).endswith("-py3-none-any.whl"))
        self.assertNotIn("ringlog/bin/ringlog", wheel.namelist())
        self.assertIn(b"Root-Is-Purelib: true\nTag: py3-none-any\n", in_dist_info(wheel, "WHEEL"))

    def test_the_binary_decides_on_the_machine(self) -> None:
        self.assertIn("manylinux_2_17_x86_64", platforms(binary_of(62)))
        self.assertIn("manylinux_2_17_aarch64", platforms(binary_of(183)))

    def test_a_binary_that_does_not_run_everywhere_is_refused(self) -> None:
        for binary, want in [
            (b"#!/bin/sh\n", "GOOS=linux"),
            (binary_of(40), "GOARCH=amd64"),
            (binary_of(62, segment=3), "CGO_ENABLED=0"),
        ]:
            with self.subTest(want), self.assertRaisesRegex(ValueError, want):
                platforms(binary)

    def test_the_record_has_the_hash_and_size_of_every_file(self) -> None:
        wheel = build(self, support.ringlog())
        record = csv.reader(io.StringIO(in_dist_info(wheel, "RECORD").decode()))
        rows = {name: (digest, size) for name, digest, size in record}
        self.assertEqual(sorted(rows), sorted(wheel.namelist()))
        for name, row in rows.items():
            if name.endswith(".dist-info/RECORD"):
                self.assertEqual(row, ("", ""))
                continue
            data = wheel.read(name)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
            self.assertEqual(row, (f"sha256={digest}", str(len(data))), name)

    def test_it_has_every_module_the_type_marker_and_the_licence(self) -> None:
        wheel = build(self, None)
        modules = {
            str(p.relative_to(support.PYTHON)) for p in (support.PYTHON / "ringlog").rglob("*.py")
        }
        self.assertLessEqual(modules | {"ringlog/py.typed"}, set(wheel.namelist()))
        licence = (support.ROOT / "LICENSE").read_bytes()
        self.assertEqual(in_dist_info(wheel, "licenses/LICENSE"), licence)

    def test_two_builds_are_the_same_bytes(self) -> None:
        for hook in (ringlog_build.build_wheel, ringlog_build.build_sdist):
            built = []
            for _ in range(2):
                directory = support.folder(self)
                built.append((directory / hook(str(directory))).read_bytes())
            self.assertEqual(built[0], built[1], hook.__name__)

    def test_the_time_of_the_files_is_source_date_epoch(self) -> None:
        with mock.patch.dict(os.environ, SOURCE_DATE_EPOCH="1700000000"):
            wheel = build(self, None)
        times = {info.date_time for info in wheel.infolist()}
        self.assertEqual(times, {(2023, 11, 14, 22, 13, 20)})

    def test_the_metadata_prepared_is_that_of_the_wheel(self) -> None:
        settings = {"binary": support.ringlog()}
        directory = support.folder(self)
        name = ringlog_build.prepare_metadata_for_build_wheel(str(directory), settings)
        wheel = build(self, settings["binary"])
        prepared = {
            str(p.relative_to(directory)): p.read_bytes()
            for p in (directory / name).rglob("*")
            if p.is_file()
        }
        built = {n: wheel.read(n) for n in wheel.namelist() if n.startswith(name)}
        del built[f"{name}/RECORD"]
        self.assertEqual(prepared, built)


class ProjectFile(unittest.TestCase):
    def test_it_is_read_as_other_tools_read_it(self) -> None:
        if importlib.util.find_spec("tomllib") is None:
            self.skipTest("tomllib is of Python 3.11")
        import tomllib

        text = (support.PYTHON / "pyproject.toml").read_text(encoding="utf-8")
        want: dict[str, Any] = tomllib.loads(text)
        got = read_toml(text)
        flat = {"build-system": want["build-system"], "project": want["project"]}
        flat["project.urls"] = flat["project"].pop("urls")
        flat.update({f"tool.{name}": table for name, table in want["tool"].items()})
        self.assertEqual(got, flat)

    def test_what_is_not_understood_is_refused_with_its_line(self) -> None:
        for text in ["a = 1\n", "[t]\na = 'b'\n", "[t]\na = date\n", "[t]\na.b = 1\n", '[t]\n"']:
            with self.subTest(text), self.assertRaisesRegex(ValueError, "pyproject.toml:[12]: "):
                read_toml(text)


class Installed(unittest.TestCase):
    """In one environment after the other, each made once, of this interpreter."""

    python: str
    folder: str

    @classmethod
    def setUpClass(cls) -> None:
        if importlib.util.find_spec("ensurepip") is None:
            raise unittest.SkipTest("no ensurepip here (Debian: apt-get install python3-venv)")
        cls.folder = tempfile.mkdtemp(prefix="ringlog-test-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.call(sys.executable, "-m", "venv", f"{cls.folder}/venv")
        cls.python = f"{cls.folder}/venv/bin/python"

    @classmethod
    def call(cls, *command: str) -> str:
        """Runs a command outside the checkout, with nothing of this process's environment that
        would let Python or pip find more than there is; returns what it prints."""
        environment = {
            k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PIP_", "RINGLOG_"))
        }
        environment.update(PIP_NO_INDEX="1", PIP_CONFIG_FILE=os.devnull, TMPDIR=cls.folder)
        done = subprocess.run(
            command,
            cwd=cls.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=3 * support.DEADLINE,
        )
        if done.returncode != 0:
            raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def install(self, *what: str) -> dict[str, Any]:
        """Installs into the environment, in place of what was there; returns what TELL does."""
        pip = (self.python, "-I", "-m", "pip")
        self.call(*pip, "install", "-q", "--force-reinstall", *what)
        self.call(*pip, "check")
        told: dict[str, Any] = json.loads(self.call(self.python, "-I", "-c", TELL))
        self.assertEqual(told["name"], "ringlog")
        self.assertEqual(told["requires"], ">=3.9")
        self.assertEqual(told["version"], told["imported"])
        self.assertEqual(told["missing"], [])
        return told

    def test_the_wheel_installs_offline_and_logs_with_the_binary_inside(self) -> None:
        told = self.install(str(build(self, support.ringlog()).filename))
        self.assertLessEqual({"ringlog/py.typed", "ringlog/bin/ringlog"}, set(told["files"]))
        self.assertTrue(told["from"].startswith(self.folder), told["from"])
        self.assertRegex(told["says"], r"^ringlog \S+ ")

        logs = support.folder(self)
        self.call(self.python, "-I", "-c", LOG, str(logs))
        self.assertIn("installed and at work", (logs / "app.log").read_text(encoding="utf-8"))

    def test_the_source_archive_installs_offline(self) -> None:
        directory = support.folder(self)
        sdist = directory / ringlog_build.build_sdist(str(directory))
        with tarfile.open(sdist) as archive:
            names = archive.getnames()
        self.assertEqual({n.split("/")[0] for n in names}, {sdist.name[: -len(".tar.gz")]})
        told = self.install(str(sdist))
        self.assertIsNone(told["says"])
        self.assertIn("ringlog/py.typed", told["files"])

    def test_an_editable_install_imports_the_checkout(self) -> None:
        told = self.install("--editable", str(support.PYTHON))
        self.assertEqual(told["from"], str(support.PYTHON / "ringlog" / "__init__.py"))


if __name__ == "__main__":
    unittest.main()
