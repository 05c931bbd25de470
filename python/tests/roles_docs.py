"""Becomes a command, for test_docs: `python -m tests.roles_docs COMMAND ARGUMENT…`.

So what the documents show runs as its reader runs it, and is still a play of the test's.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    os.execvp(sys.argv[1], sys.argv[1:])
