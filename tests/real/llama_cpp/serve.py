"""llama.cpp's own HTTP server with the model of `tiny_model.py`; it listens on PORT until SIGTERM.

python serve.py PORT MODEL
"""

import signal
import sys

import tiny_model
import xllamacpp

SLOTS = 4
"""Completions at once; further requests wait in the server."""


def main(port: str, path: str) -> None:
    """Write the model to `path` and serve it."""
    tiny_model.write(path)
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.model_alias = {"tiny"}
    params.port = int(port)
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * tiny_model.CONTEXT
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # also in the server's threads
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    signal.sigwait([signal.SIGTERM])


if __name__ == "__main__":
    main(*sys.argv[1:])
