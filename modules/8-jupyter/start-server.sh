#!/bin/sh
# Starts a user's server by the hub's API, as the login page does, and waits until it is ready.
#
#   sh modules/8-jupyter/start-server.sh USER PROFILE [flags of kubectl]
set -eu
user=$1 profile=$2
shift 2
kubectl exec "$@" deployment/module8-ex3 --container=hub -- python -c '
import json, os, sys, time, urllib.request

user, profile = sys.argv[1:]
url = f"http://127.0.0.1:8081/hub/api/users/{user}"
token = {"Authorization": "token " + os.environ["API_TOKEN"]}
body = json.dumps({"profile": profile}).encode()
urllib.request.urlopen(urllib.request.Request(f"{url}/server", body, token, method="POST"))
for _ in range(120):
    about = json.load(urllib.request.urlopen(urllib.request.Request(url, headers=token)))
    if about["servers"].get("", {}).get("ready"):
        sys.exit()
    time.sleep(1)
sys.exit(f"the server of {user} is not ready after two minutes")
' "$user" "$profile"
echo "The server of $user is ready"
