"""What a worker process runs: `python -m conformance.workers DESCRIPTOR`."""

from __future__ import annotations

import gc
import os
import sys
from multiprocessing.connection import Connection

from conformance.workers.worker import serve

if __name__ == "__main__":
    # What stores print must not reach the terminal of the run.
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    gc.freeze()
    serve(Connection(int(sys.argv[1])))
