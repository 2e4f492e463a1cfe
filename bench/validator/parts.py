"""One check in this process, with the time that each part takes.

`python -m bench.validator` starts it as a process of its own, since the first
part is the import. It runs the command line that it is given, writes the report
to nowhere, and prints its figures as one line of JSON.
"""

import time

STARTED = time.perf_counter()

import contextlib  # noqa: E402
import importlib  # noqa: E402
import io  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402

READY = time.perf_counter()

# Part, module, function. A part within another counts for itself alone. What a part
# imports when it is used (yaml, ssl) is in its time.
TIMED = (
    ("kubeconfig", "validator.kubeconfig", "connect"),
    ("TLS context", "validator.connect.http_transport", "_tls"),
    ("handshake and read", "validator.cluster", "read"),
    ("grade", "validator.engine", "grade"),
    ("report", "validator.report", "as_text"),
)


class Clock:
    """Milliseconds by part."""

    def __init__(self):
        self.parts = {"import": (time.perf_counter() - READY) * 1000}
        self._within = [0.0]

    def timed(self, part, function):
        """The function, with its time added to its part."""

        def timing(*arguments, **named):
            self._within.append(0.0)
            before = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                took = (time.perf_counter() - before) * 1000
                own = took - self._within.pop()
                self._within[-1] += took
                self.parts[part] = self.parts.get(part, 0.0) + own

        return timing

    def watch(self, part, module, name):
        """Time a function wherever a module of the validator has it."""
        original = getattr(importlib.import_module(module), name)
        timing = self.timed(part, original)
        for known in [m for n, m in sys.modules.items() if n.startswith("validator")]:
            for attribute, value in list(vars(known).items()):
                if value is original:
                    setattr(known, attribute, timing)


def main(arguments):
    program = importlib.import_module("validator.__main__")
    clock = Clock()
    for part, module, name in TIMED:
        clock.watch(part, module, name)
    before = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        program.main(arguments)
    took = (time.perf_counter() - before) * 1000
    known = sum(ms for part, ms in clock.parts.items() if part != "import")
    clock.parts["the rest"] = took - known
    print(json.dumps(clock.parts))


if __name__ == "__main__":
    main(sys.argv[1:])
