"""Start or stop a user's server by the hub's API: hub.sh runs this in the hub's Pod.

python hub_client.py start USER PROFILE
python hub_client.py stop USER
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request

API = "http://127.0.0.1:8081/hub/api/users"
# KubeSpawner gives a Pod two minutes.
PATIENCE_SECONDS = 130


def start(user: str, profile: str) -> None:
    """Start the user's server, and wait until it is ready. Ends the program if it fails."""
    ask(f"{user}/server", "POST", {"profile": profile})
    for server in looks(user):
        if not server:
            sys.exit(f"The server of {user} did not start. The hub's log says why")
        if server["ready"]:
            return print(f"The server of {user} is ready")
    sys.exit(f"The server of {user} is not ready after {PATIENCE_SECONDS} seconds")


def stop(user: str) -> None:
    """Stop the user's server, and wait until its Pod is gone."""
    ask(f"{user}/server", "DELETE")
    if all(looks(user)):
        sys.exit(f"The server of {user} still runs after {PATIENCE_SECONDS} seconds")
    print(f"The server of {user} is gone")


def looks(user: str):
    """What the hub says of the server, twice a second; {} where there is none."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        yield ask(user)["servers"].get("", {})
        time.sleep(0.5)


def ask(path: str, method: str = "GET", body: dict[str, str] | None = None) -> dict:
    """One request. Returns: the JSON, {} for none. Ends the program where the hub refuses it."""
    headers = {"Authorization": f"token {os.environ['API_TOKEN']}"}
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(f"{API}/{path}", data, headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or "{}")
    except urllib.error.HTTPError as refusal:
        said = json.loads(refusal.read() or "{}").get("message") or refusal.reason
        if refusal.code == 404:
            said = "it knows no such user (see `users` in its values)"
        sys.exit(f"The hub refuses {method} /users/{path}: {said}")


if __name__ == "__main__":
    {"start": start, "stop": stop}[sys.argv[1]](*sys.argv[2:])
