#!/bin/sh
# Prints the CPython interpreters of versions 3.9 to 3.13 on this machine, the oldest first,
# one a line: its version and its path. Of each version it is the first that runs: on PATH
# (where a pyenv has names of versions that are not switched on), then below pyenv's root.
set -eu

pyenv=$(pyenv root 2>/dev/null || true)
for minor in 9 10 11 12 13; do
  for python in "python3.$minor" python3 ${pyenv:+"$pyenv"/versions/3."$minor".*/bin/python3}; do
    found=$("$python" -c "
import platform, sys
if sys.version_info[:2] == (3, $minor) and platform.python_implementation() == 'CPython':
    print(platform.python_version(), sys.executable)" 2>/dev/null) || continue
    [ -n "$found" ] || continue
    echo "$found"
    break
  done
done
