"""Sets of replica indexes as Kubernetes writes them in a Job's status: ``0-2,5``."""

from collections.abc import Iterable


def read(text: str) -> frozenset[int]:
    """Parse a text like ``0-2,5``."""
    ranges = (part.partition("-") for part in text.split(",") if part)
    return frozenset(
        index for first, _, last in ranges for index in range(int(first), int(last or first) + 1)
    )


def write(indexes: Iterable[int]) -> str:
    """Format indexes, with neighbours joined into ranges."""
    runs: list[list[int]] = []
    for index in sorted(set(indexes)):
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
