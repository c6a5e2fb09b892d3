"""`python -m benchmarks`: the speed of the whole."""

from __future__ import annotations

import sys

from benchmarks.throughput import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
