"""Make one picture of all paintings of a sweep, from what its TensorBoard has of them.

    python modules/7-hyper-param-sweeping/paintings.py module7-ex1-tensorboard > my-paintings.svg

A row for each learning rate, a column for each number of layers; below each painting, its loss.
It asks TensorBoard through the API server, with `kubectl proxy`, in the current namespace.
"""

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import quote, urlencode
from urllib.request import ProxyHandler, build_opener

REQUEST = {"allowedStatuses": ["STATUS_UNKNOWN"], "colParams": [], "startIndex": 0,
           "sliceSize": 100, "experimentName": ""}  # fmt: skip
SIDE, GAP, LINE, LEFT = 128, 16, 18, 96
STYLE = "text{font:14px sans-serif;fill:#333}@media(prefers-color-scheme:dark){text{fill:#ddd}}"
Get = Callable[[str], bytes]


class Painting(NamedTuple):
    """One run of the sweep; ``png``: its last painting."""

    rate: float
    layers: int
    loss: float
    png: bytes


@contextmanager
def server(service: str) -> Iterator[Get]:
    """A function that asks this Service for a path, through one `kubectl proxy`."""
    view = ["kubectl", "config", "view", "--minify", "--output=jsonpath={..namespace}"]
    namespace = subprocess.run(view, capture_output=True, text=True).stdout or "default"
    direct = build_opener(ProxyHandler({}))
    with subprocess.Popen(
        ["kubectl", "proxy", "--port=0"], stdout=subprocess.PIPE, text=True
    ) as it:
        address = it.stdout.readline().split()[-1:] or ["127.0.0.1"]
        base = f"http://{address[0]}/api/v1/namespaces/{namespace}/services/{service}:80/proxy"
        try:
            yield lambda path: direct.open(f"{base}/data/plugin/{path}", timeout=60).read()
        except OSError as error:
            raise SystemExit(f"Cannot ask TensorBoard, the Service {service}: {error}") from None
        finally:
            it.terminate()


def paintings(get: Get) -> list[Painting]:
    """All runs that HParams has, in the order of their values."""
    request = quote(json.dumps(REQUEST))
    groups = json.loads(get(f"hparams/session_groups?request={request}"))["sessionGroups"]
    return sorted(painting(get, group) for group in groups)


def painting(get: Get, group: dict) -> Painting:
    """One row of HParams, with the last image of its run."""
    chosen, run = group["hparams"], group["sessions"][0]["name"]
    asked = urlencode({"run": run, "tag": "painting", "sample": 0})
    last = json.loads(get(f"images/images?{asked}"))[-1]
    png = get(f"images/individualImage?{last['query']}")
    loss = group["metricValues"][0]["value"]
    return Painting(chosen["learning_rate"], int(chosen["hidden_layers"]), loss, png)


def drawn(all_: list[Painting]) -> str:
    """The SVG."""
    rates = sorted({each.rate for each in all_})
    layers = sorted({each.layers for each in all_})
    width = LEFT + len(layers) * (SIDE + GAP)
    height = 2 * LINE + len(rates) * (SIDE + LINE + GAP)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
             f'width="{width}" height="{height}" role="img" '
             f'aria-label="{len(all_)} paintings of a night sky, by learning rate and layers">',
             f"<style>{STYLE}</style>"]  # fmt: skip
    for column, number in enumerate(layers):
        parts.append(text(LEFT + column * (SIDE + GAP), LINE, f"{number} layers"))
    for row, rate in enumerate(rates):
        top = 2 * LINE + row * (SIDE + LINE + GAP)
        parts.append(text(0, top + SIDE // 2, f"rate {rate:g}"))
        mine = [each for each in all_ if each.rate == rate]
        parts += [cell(each, LEFT + layers.index(each.layers) * (SIDE + GAP), top) for each in mine]
    return "\n".join([*parts, "</svg>"])


def cell(one: Painting, x: int, y: int) -> str:
    """A painting, and its loss below."""
    png = base64.b64encode(one.png).decode()
    image = (
        f'<image x="{x}" y="{y}" width="{SIDE}" height="{SIDE}" '
        f'style="image-rendering:pixelated" href="data:image/png;base64,{png}"/>'
    )
    return image + "\n" + text(x, y + SIDE + LINE - 3, f"loss {one.loss:.5f}")


def text(x: int, y: int, words: str) -> str:
    return f'<text x="{x}" y="{y}">{words}</text>'


if __name__ == "__main__":
    with server(sys.argv[1]) as get:
        print(drawn(paintings(get)))
