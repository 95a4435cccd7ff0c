"""What a nursery runs, and each worker that it forks: `python -m conformance.workers DESCRIPTOR`."""

from __future__ import annotations

import gc
import os
import sys
from multiprocessing.connection import Connection

from conformance.workers.nursery import raise_workers
from conformance.workers.worker import serve

if __name__ == "__main__":
    # What stores print must not reach the terminal of the run.
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    gc.freeze()
    line = raise_workers(Connection(int(sys.argv[1])))
    if line is not None:
        serve(line)
