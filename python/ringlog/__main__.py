"""The command line of the package: `python -m ringlog doctor`."""

from __future__ import annotations

import argparse
import sys

from . import __version__, doctor


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ringlog")
    parser.add_argument("--version", action="version", version=f"ringlog {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    about = "say what is wrong when no logs appear, and how to mend it"
    command = commands.add_parser("doctor", help=about, description=about)
    command.add_argument("--ring", help="path of the ring (default: $RINGLOG_RING)")
    return doctor.main(parser.parse_args().ring)


if __name__ == "__main__":
    sys.exit(main())
