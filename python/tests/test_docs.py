"""What the documents show, run as it stands there: docs/migration.md, README.md and
python/README.md. Its records are in the log files, each exactly once.

In docs/migration.md the first program is a frame, with lines (1) to (3) that the others take the
place of. What is not marked as "before" there is run, and what is marked so is only compiled.
"""

from __future__ import annotations

import configparser
import importlib.util
import os
import re
import shlex
import sys
import tempfile
import textwrap
import unittest
from collections import Counter
from pathlib import Path
from typing import NamedTuple, Optional

from . import support
from .support import Play, by_thoroughness

_ALL = ("fork", "spawn", "forkserver")
METHODS = by_thoroughness(("spawn",), _ALL, _ALL)
TRIALS = range(100)
PROGRAM = f"app_{os.getpid()}.py"  # its rings are called after it, and nobody else's

FRAME = "From RotatingFileHandler in each worker"
TIMED = "From TimedRotatingFileHandler"
QUEUE = "From QueueHandler and QueueListener"
CONCURRENT = "From concurrent-log-handler"
CONFIG = "From logging.config"
LOGURU = "From loguru"
OPTUNA = "Optuna"
PROCESSES = "fork, forkserver, spawn, joblib"

# What is run by a test below, and for whom there is something to compare.
AFTER = [
    (FRAME, "python"),
    (FRAME, "text"),
    (TIMED, "python"),
    (TIMED, "yaml"),
    (QUEUE, "python"),
    (CONCURRENT, "python"),
    (CONCURRENT, "sh"),
    (CONFIG, "python"),
    (CONFIG, "ini"),
    (LOGURU, "python"),
    (LOGURU, "text"),
    (LOGURU, "python"),
    (OPTUNA, "python"),
    (PROCESSES, "python"),
]
BEFORE = [
    (FRAME, "python"),
    (TIMED, "python"),
    (QUEUE, "python"),
    (CONCURRENT, "python"),
    (CONFIG, "python"),
    (CONFIG, "ini"),
    (LOGURU, "python"),
    (OPTUNA, "python"),
]

# What a file for fileConfig has beside its handler's section.
INI = """
[loggers]
keys=root

[handlers]
keys=file

[formatters]
keys=

[logger_root]
level=INFO
handlers=file

"""

STUDY = """
import optuna
import ringlog

log = ringlog.setup_logger("trades")

def objective(trial):
    log.info("bought", extra={"number": trial.number})
    return trial.suggest_float("x", -1, 1)

if __name__ == "__main__":
    ringlog.setup_multiprocessing_logging("logs")
    study = optuna.create_study(study_name="walk-forward")
"""

# Workers, for a document that has a place for them.
WORK = '''
def work(n):
    log.info("bought", extra={"trial": n, "lots": 3})


if __name__'''
WORKERS = """
    from concurrent.futures import ProcessPoolExecutor
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(work, range(100)))
"""

TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - ")


class Block(NamedTuple):
    """A block of code, and what is written above it."""

    section: str
    above: str  # the paragraph, or what is left of it
    language: str
    text: str

    @property
    def before(self) -> bool:
        return self.above.lower().endswith("before:")

    @property
    def places(self) -> list[int]:
        """The lines of the frame that it takes the place of."""
        found = re.search(r"in place of ((\(\d\)( and )?)+)", self.above)
        return [int(n) for n in re.findall(r"\d", found[1])] if found else []


def blocks(document: str) -> list[Block]:
    """The blocks of code of a document, in any language."""
    found, section, above = [], "", ""
    code: Optional[list[str]] = None
    language = ""
    for line in (support.ROOT / document).read_text("utf-8").splitlines():
        if line.startswith("```"):
            if code is None:
                code, language = [], line[3:]
            else:
                text = textwrap.dedent("\n".join(code)) + "\n"
                found.append(Block(section, above.strip(), language, text))
                code, above = None, ""
        elif code is not None:
            code.append(line)
        elif line.startswith("## "):
            section, above = line[3:], ""
        elif line:
            above += f" {line.strip()}"
        else:
            above = above if above.endswith(":") else ""
    assert code is None, f"{document}: a block of code has no end"
    return found


def records(*paths: Path) -> Counter[str]:
    """The records of files of text lines, without their times. A torn line fails the test."""
    found: Counter[str] = Counter()
    for path in paths:
        found.update(parse(path.read_text("utf-8")))
    return found


def parse(text: str) -> list[str]:
    assert not text or text.endswith("\n"), f"torn: {text[-200:]!r}"
    found = []
    for piece in re.split(r"\n(?!    )", text)[:-1]:
        time = TIME.match(piece)
        assert time is not None, piece
        # How a worker calls its main module is for its start method to say.
        found.append(piece[time.end() :].replace("__mp_main__ - ", "__main__ - ", 1))
    return found


def heads(found: Counter[str]) -> Counter[str]:
    """The first lines of records."""
    made: Counter[str] = Counter()
    for record, count in found.items():
        made[record.split("\n")[0]] += count
    return made


class DocumentTest(unittest.TestCase):
    def play(
        self,
        program: str,
        *command: str,
        method: Optional[str] = None,
        files: Optional[dict[str, str]] = None,
    ) -> str:
        """Runs a program as PROGRAM, or a command that does; returns what it says of errors.

        method: how its processes are started where it does not say. files: texts of other files
        beside it.
        """
        self.need(program)
        hook = support.folder(self)
        if method is not None:
            set_method = f"import multiprocessing\nmultiprocessing.set_start_method({method!r})\n"
            (hook / "sitecustomize.py").write_text(set_method, "utf-8")

        def before(where: Path) -> None:
            for name, text in {PROGRAM: program, **(files or {})}.items():
                (where / name).write_text(text, "utf-8")

        play = Play(
            self,
            "roles_docs",
            *(command or (sys.executable, PROGRAM)),
            before=before,
            PYTHONPATH=os.pathsep.join((str(hook), str(support.PYTHON))),
        )
        self.addCleanup(lambda: [os.unlink(ring) for ring in rings_of(play)])
        self.logs = play.where / "logs"
        err = play.end().err
        play.all_gone()
        self.assertEqual(rings_of(play), [])
        self.assertNotRegex(err, "Traceback|Logging error|Warning", program)
        return err

    def need(self, program: str) -> None:
        """Skips the test if this Python has not all that a program imports."""
        names = re.findall(r"^ *(?:from|import) (\w+)", program, re.MULTILINE)
        for name in names:
            if name != "ringlog" and importlib.util.find_spec(name) is None:
                self.skipTest(f"no {name} for this Python")

    def files(self) -> list[str]:
        return sorted(path.name for path in self.logs.iterdir())

    def in_files(self, due: Counter[str], name: str) -> None:
        """These records are in app.log and in name, and no others, and no other files are."""
        self.assertEqual(self.files(), ["app.log", "orders.log", "trades.log"])
        for file in self.files():
            with self.subTest(file=file):
                found = heads(records(self.logs / file))
                self.assertEqual(found, due if file in ("app.log", name) else Counter())


def rings_of(play: Play) -> list[str]:
    """The rings that a program made which do not name a path, or a command that ran it."""
    rings = []
    for folder in (Path("/dev/shm"), Path(tempfile.gettempdir())):
        ours = folder / f"ringlog-{os.getuid()}"
        rings += [*ours.glob(f"{Path(PROGRAM).stem}-*.ring")]
        rings += [*ours.glob(f"run-*{play.process.pid}.ring")]
    return [str(ring) for ring in rings]


class MigrationTest(DocumentTest):
    @classmethod
    def setUpClass(cls) -> None:
        cls.blocks = blocks("docs/migration.md")
        cls.frame = next(b.text for b in cls.blocks if not b.before)

    def test_each_block_is_run_or_compiled(self) -> None:
        for name, due in (("before", BEFORE), ("after", AFTER)):
            found = [
                (b.section, b.language) for b in self.blocks if b.before == (name == "before")
            ]
            self.assertEqual(found, due, name)

    def test_what_was_before_is_python_or_a_configuration(self) -> None:
        for block in self.blocks:
            if block.before and block.language == "python":
                compile(block.text, block.section, "exec")
            elif block.before:
                configparser.ConfigParser(interpolation=None).read_string(block.text)

    def after(self, section: str, language: str = "python", number: int = 0) -> Block:
        blocks = [
            b
            for b in self.blocks
            if (b.section, b.language) == (section, language) and not b.before
        ]
        return blocks[number]

    def framed(self, block: Block) -> str:
        """The program that a block makes of the frame."""
        self.assertTrue(block.places, block.above)
        program = self.frame
        for n, place in enumerate(block.places):
            program = self.replaced(program, place, "" if n else block.text)
        return program

    def replaced(self, program: str, place: int, text: str) -> str:
        """A program with another text for what is marked by (place), to the end of that if it
        is a function."""
        pattern = rf"(?m)^( *)\S.*# \({place}\)\n(?:\1 +\S.*\n)*"
        self.assertEqual(len(re.findall(pattern, program)), 1, program)
        return re.sub(pattern, lambda found: textwrap.indent(text, found[1]), program)

    def bought(self) -> Counter[str]:
        return Counter(f"trades - INFO - bought trial={n} lots=3" for n in TRIALS)

    def sample(self, section: str) -> None:
        """What the document shows of a log is among the records of app.log."""
        due = parse(self.after(section, "text").text)
        self.assertTrue(due)
        self.assertFalse(Counter(due) - records(self.logs / "app.log"))

    def test_rotating_files(self) -> None:
        for method in METHODS:
            with self.subTest(method=method):
                self.assertEqual(self.play(self.frame, method=method), "")
                self.in_files(self.bought(), "trades.log")
                self.sample(FRAME)

    def test_rotated_files_have_the_names_that_the_document_says(self) -> None:
        text = (support.ROOT / "docs/migration.md").read_text("utf-8")
        shown = re.findall(r"app\.log\.\w{15}\.\w+", text)
        self.assertEqual(len(shown), 1)
        set_up = 'ringlog.setup_multiprocessing_logging("logs", max_bytes=1000)\n'
        self.play(self.replaced(self.frame, 3, set_up))
        found = [name for name in self.files() if name.startswith("app.log.")]
        self.assertGreater(len(found), 1)
        for name in found:
            self.assertEqual(re.sub(r"\d", "0", name), re.sub(r"\d", "0", shown[0]))
        paths = [self.logs / name for name in [*found, "app.log"]]
        self.assertEqual(records(*paths), self.bought())

    def test_timed_rotation(self) -> None:
        program = self.framed(self.after(TIMED))
        files = {"ringlog.yaml": self.after(TIMED, "yaml").text}
        for method in METHODS:
            with self.subTest(method=method):
                self.assertEqual(self.play(program, method=method, files=files), "")
                self.assertEqual(self.files(), ["app.log", "errors.log", "trials"])
                line = r"(?m)^\d\d:\d\d:\d\d INFO     (bought trial=\d+ lots=3)\n"
                text = (self.logs / "app.log").read_text("utf-8")
                self.assertEqual(re.sub(line, "", text), "")
                found = Counter(f"trades - INFO - {m}" for m in re.findall(line, text))
                self.assertEqual(found, self.bought())
                self.assertEqual((self.logs / "errors.log").read_bytes(), b"")
                for n in TRIALS:
                    text = (self.logs / "trials" / f"{n}.log").read_text("utf-8")
                    self.assertRegex(text, rf"^[\d:]+ INFO     bought trial={n} lots=3\n$")

    def test_queue(self) -> None:
        program = self.framed(self.after(QUEUE))
        due = Counter(f"orders - WARNING - slow fill of order {n}" for n in TRIALS)
        for method in METHODS:
            with self.subTest(method=method):
                self.assertEqual(self.play(program, method=method), "")
                self.in_files(due, "orders.log")

    def test_concurrent_log_handler(self) -> None:
        program = self.framed(self.after(CONCURRENT))
        for method in METHODS:
            with self.subTest(method=method):
                self.assertEqual(self.play(program, method=method), "")
                self.in_files(self.bought(), "trades.log")

    def test_ringlog_run(self) -> None:
        program = self.replaced(self.framed(self.after(CONCURRENT)), 3, "")
        command = shlex.split(self.after(CONCURRENT, "sh").text)
        ours = {"python3": sys.executable, "app.py": PROGRAM}
        command = [ours.get(word, word) for word in command]
        for method in METHODS:
            with self.subTest(method=method):
                err = self.play(program, *command, method=method)
                self.assertRegex(err, r"^ringlog: 100 records of [^\n]*, 0 vanished, 0 lost, ")
                self.assertEqual(self.files(), ["app.log"])
                self.assertEqual(records(self.logs / "app.log"), self.bought())

    def test_dict_config(self) -> None:
        program = self.framed(self.after(CONFIG))
        for method in METHODS:
            with self.subTest(method=method):
                self.assertEqual(self.play(program, method=method), "")
                self.in_files(self.bought(), "trades.log")

    def test_file_config(self) -> None:
        call = "import logging.config\n\nlogging.config.fileConfig('logging.ini')\n"
        program = self.replaced(self.frame, 1, call)
        ini = INI + self.after(CONFIG, "ini").text
        for method in METHODS:
            with self.subTest(method=method):
                self.assertEqual(self.play(program, method=method, files={"logging.ini": ini}), "")
                self.in_files(self.bought(), "trades.log")

    def test_loguru(self) -> None:
        program = self.framed(self.after(LOGURU))
        self.need(program)
        due = Counter(
            f"__main__ - SUCCESS - bought at {1700 / n} trial={n}" for n in TRIALS if n
        )
        due["__main__ - ERROR - no price trial=0"] = 1
        for method in METHODS:
            with self.subTest(method=method):
                self.assertEqual(self.play(program, method=method), "")
                self.in_files(due, "app.log")
                self.sample(LOGURU)
                (failed,) = [r for r in records(self.logs / "app.log") if "no price" in r]
                self.assertRegex(
                    failed,
                    r"\n    Traceback \(most recent call last\):"
                    r'\n      File "[^"]*app_[0-9]+.py", line \d+, in work(\n .*)+'
                    r"\n    ZeroDivisionError: [^\n]*$",
                )

    def test_loguru_with_the_handler_as_its_sink(self) -> None:
        program = self.framed(self.after(LOGURU))
        self.need(program)
        sink = 'logger.add(to_ring, level="INFO")\n'
        self.assertIn(sink, program)
        program = program.replace(sink, self.after(LOGURU, number=1).text)
        due = Counter(
            f"__main__ - Level 25 - bought at {1700 / n} extra.trial={n}" for n in TRIALS if n
        )
        due["__main__ - ERROR - no price"] = 1
        named = 'logging.addLevelName(25, "SUCCESS")'
        self.assertIn(f"`{named}`", (support.ROOT / "docs/migration.md").read_text("utf-8"))
        for method in METHODS:
            with self.subTest(method=method):
                self.assertEqual(self.play(program, method=method), "")
                self.in_files(due, "app.log")
                (failed,) = [r for r in records(self.logs / "app.log") if "no price" in r]
                self.assertIn("\n    Traceback (most recent call last):\n", failed)
                self.assertRegex(failed, r"\n    ZeroDivisionError: ")
        self.play(program.replace("logger.remove()", f"logger.remove()\n{named}"))
        renamed = Counter({k.replace("Level 25", "SUCCESS"): v for k, v in due.items()})
        self.in_files(renamed, "app.log")

    def test_optuna(self) -> None:
        program = STUDY + textwrap.indent(self.after(OPTUNA).text, "    ")
        self.play(program)
        tags = [f"study=walk-forward trial={n}" for n in range(20)]
        due = Counter(f"trades - INFO - bought {tag} number={n}" for n, tag in enumerate(tags))
        found = records(self.logs / "app.log")
        of_optuna = {r: n for r, n in found.items() if r.startswith("optuna.study.study - ")}
        self.assertEqual(found - Counter(of_optuna), due)
        self.assertEqual(records(self.logs / "trades.log"), due)
        self.assertEqual(
            Counter(
                re.sub(r"^.* - INFO - Trial (\d+) finished with .* study=", r"\1 study=", record)
                for record in of_optuna
            ),
            Counter(f"{n} {tag}" for n, tag in enumerate(tags)),
        )
        self.assertEqual(sum(of_optuna.values()), 20)

    def test_joblib(self) -> None:
        block = self.after(PROCESSES)
        call = re.search(r"`(Parallel\(.*\))`", block.above)
        assert call is not None, block.above
        program, pool = self.framed(block), "    with ProcessPoolExecutor(4) as pool:\n"
        self.assertIn(pool, program)
        program = program[: program.index(pool)] + f"    {call[1]}\n"
        program = f"from joblib import Parallel, delayed\n{program}"
        self.assertEqual(self.play(program), "")
        self.in_files(self.bought(), "trades.log")


class ReadmeTest(DocumentTest):
    def programs(self, document: str) -> list[str]:
        return [b.text for b in blocks(document) if b.language == "python"]

    def test_the_package_s_own(self) -> None:
        programs = self.programs("python/README.md")
        self.assertEqual(len(programs), 1, "want a test for each")
        program, filled = re.subn(r"(?m)^    \.\.\.  # start workers.*\n", WORKERS, programs[0])
        self.assertEqual(filled, 1, program)
        program = program.replace("\nif __name__", WORK)
        due = Counter(f"__main__ - INFO - bought trial={n} lots=3" for n in TRIALS)
        for method in METHODS:
            with self.subTest(method=method):
                self.assertEqual(self.play(program, method=method), "")
                self.in_files(due, "app.log")

    def test_the_project_s(self) -> None:
        """Each block of Python there is a program, which logs no two equal records, and ends
        well."""
        text = (support.ROOT / "README.md").read_text("utf-8")
        programs = self.programs("README.md")
        if re.search(r"(?m)^#.*\bPython\b", text):
            self.assertTrue(programs, "a chapter on Python without any")
        for number, program in enumerate(programs):
            with self.subTest(number=number):
                self.play(program)
                found = records(*self.logs.rglob("app.log"))
                self.assertTrue(found, "no record")
                self.assertEqual(max(found.values()), 1)
                self.assertFalse([r for r in found if r.startswith("ringlog - ")])


if __name__ == "__main__":
    unittest.main()
