"""Sets of replica indexes as Kubernetes writes them in a Job's status: ``0-2,5``."""

from collections import defaultdict
from collections.abc import Iterable, Mapping


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


def read_all(texts: Mapping[str, str]) -> frozenset[tuple[str, int]]:
    """Parse a text for each type into pairs: a type and an index."""
    return frozenset((kind, index) for kind, text in texts.items() for index in read(text))


def write_all(pairs: Iterable[tuple[str, int]]) -> dict[str, str]:
    """Format pairs of a type and an index: a text for each type."""
    found: dict[str, list[int]] = defaultdict(list)
    for kind, index in pairs:
        found[kind].append(index)
    return {kind: write(numbers) for kind, numbers in found.items()}
