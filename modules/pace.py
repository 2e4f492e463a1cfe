"""Say how long the steps of a training took, from its log with times.

    kubectl logs --timestamps --tail=-1 POD | python -m modules.pace

Only what lies between the first `step` line and the last is counted: before the first one,
TensorFlow connects to the other replicas and builds its graph.
"""

import re
import sys
from datetime import datetime

# 2026-11-25T23:52:42.612017170Z step 50/1000 loss 0.9950 accuracy 0.6545
LINE = re.compile(r"(?P<time>\S{19}\.\d{6})\d*(?P<zone>Z|[+-]\d\d:\d\d) step (?P<step>\d+)/")


def reports(log: str) -> list[tuple[int, datetime]]:
    """(step, when it was reported) for each `step` line, in order."""
    found = filter(None, map(LINE.match, log.splitlines()))
    return [
        (int(line["step"]), datetime.fromisoformat(line["time"] + line["zone"])) for line in found
    ]


def pace(log: str) -> str:
    """A sentence. Raises: ValueError if the log does not have two step lines with times."""
    seen = reports(log)
    steps = seen[-1][0] - seen[0][0] if seen else 0
    if steps <= 0:
        raise ValueError("the log has no two `step` lines with times: kubectl logs --timestamps")
    seconds = (seen[-1][1] - seen[0][1]).total_seconds()
    return f"{steps} steps in {seconds:.1f} s: {1000 * seconds / steps:.1f} ms a step"


def main() -> int:
    try:
        print(pace(sys.stdin.read()))
    except ValueError as error:
        print(f"Cannot say how long a step took: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
