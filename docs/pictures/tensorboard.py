"""Take the two pictures of TensorBoard that module 5 shows, from a real run.

Needs Chromium on PATH, and a TfJob module5-ex3 that has ended (exercise 5.3). Beside it, in another
shell, a port is forwarded to its TensorBoard::

    kubectl port-forward service/SERVICE 6006:80
    python docs/pictures/tensorboard.py [http://localhost:6006]

Writes modules/5-tfjob/pictures/tensorboard-light.png and tensorboard-dark.png.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "modules/5-tfjob/pictures"
SIZE = "1100,486"
# TensorBoard fetches its data and draws within a few seconds; these are Chromium's own seconds.
PATIENCE_MS = 30_000
# The view of scalars draws without WebGL, which a headless Chromium does not have everywhere.
VIEW = "scalars&_smoothingWeight=0&tagFilter=accuracy%7Closs"


def main() -> None:
    """Take both pictures."""
    address = sys.argv[1] if len(sys.argv) > 1 else "http://localhost:6006"
    for look, dark in (("light", "false"), ("dark", "true")):
        picture(f"{address}/?darkMode={dark}#{VIEW}", FOLDER / f"tensorboard-{look}.png")


def picture(address: str, target: Path) -> None:
    """Let a headless Chromium of its own draw a page, and keep it. Raises: CalledProcessError."""
    with tempfile.TemporaryDirectory() as profile:
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        options += [f"--user-data-dir={profile}", f"--window-size={SIZE}"]
        options += [f"--virtual-time-budget={PATIENCE_MS}", f"--screenshot={target}"]
        subprocess.run(["chromium", *options, address], check=True, capture_output=True)


if __name__ == "__main__":
    main()
