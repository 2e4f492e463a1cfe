"""Secrets as people plant them: in texts, in command lines, in maps, and beside what is looked at.

None is real. ``TEXTS`` and ``NODES`` have to be recognised by how they look.
``PLACES`` are the places of a snapshot where a text may stand; what stands in
``DROPPED`` looks like nothing, and only the whitelist keeps it away.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote

Data = dict[str, Any]

# Composed, so that no scanner of repositories takes this file for a leak.
WORD = "CASEhunter2"
KEY = "CASE" + "bdEhFQ8oX3kZr7tN5wYp" * 2 + "A=="
JWT = "ey" + "JhbGciOiJIUzI1NiJ9." + "ey" + "JzdWIiOiJhbm4ifQ." + "CASEs3nF8kQ2mZx7"
PEM_BODY = "CASEMIIEowIBAAKCAQEAx4UbaDkz3pTmHgHo0vQ1yQx8c1mR7lq5"
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{PEM_BODY}\nCASEtail9=\n-----END RSA PRIVATE KEY-----"
TIME = "2026-01-31T12:00:01.000000000Z"


class Planted(NamedTuple):
    """Something with a secret in it; ``gone`` are the words that must not be left."""

    id: str
    what: Any
    gone: tuple[str, ...] = ("CASE",)


TEXTS = [
    Planted("password with equals", f"password={WORD}"),
    Planted("password with a colon", f"using password: {WORD} now"),
    Planted("in the middle of a name", f"DB_PASSWORD_READONLY={WORD}"),
    Planted("MYSQL_PWD", f"export MYSQL_PWD={WORD}; mysql"),
    Planted("PGPASSWORD, one word", f"PGPASSWORD={WORD} psql -h db"),
    Planted("camelCase", f"dbPassword: {WORD}"),
    Planted("an api key of two words", f"my API key is {WORD}"),
    Planted("private key with spaces", f"private key = {WORD}"),
    Planted("storage key", f"--storage_key={WORD}"),
    Planted("an option", f"train --password {WORD} --max-steps 5"),
    Planted("an option with one hyphen", f"tool -token {WORD}"),
    Planted("an option with quotes", f'train --password "{WORD} and more" --x', (WORD, "more")),
    Planted("a password with spaces in quotes", f"password='{WORD} CASEtwo'"),
    Planted("quotes within quotes", '"token": "CASEa\\"CASEb", "x": 1'),
    Planted("an unclosed quote", f"password='{WORD} CASEtwo"),
    Planted("sh -c", f"set -e; login --user ann --password {WORD} && train"),
    Planted("mysql -p", f"mysql -u root -p{WORD} runs"),
    Planted("docker login", f"docker login -u ann -p {WORD} registry.example"),
    Planted("standard input", f"echo {WORD} | docker login --password-stdin"),
    Planted("curl -u", f"curl -s -u ann:{WORD} https://x.example"),
    Planted("sshpass", f"sshpass -p {WORD} ssh ann@x.example"),
    Planted("redis-cli", f"redis-cli -a {WORD} ping"),
    Planted("URL with user and password", f"postgresql://ann:{WORD}@db.example/runs"),
    Planted("URL with a token", f"git clone https://{WORD}@git.example/ann/model.git"),
    Planted("URL with an at-sign in its password", "amqp://ann:CASEa@CASEb@mq.example"),
    Planted("URL with a slash in its password", "amqp://ann:CASEa/CASEb@mq.example"),
    Planted("data source of Go", f"ann:{WORD}@tcp(db:3306)/runs"),
    Planted("scp", f"copy ann:{WORD}@host.example"),
    Planted("SAS", f"https://a.blob.example/d?sv=2017-04-17&sig={KEY}&se=2030"),
    Planted("AWS, signed URL", f"https://s3.example/b?X-Amz-Credential=CASEx&X-Amz-Signature={KEY}"),
    Planted("access_token", f"GET /v1?access_token={WORD}&x=1"),
    Planted("key in a URL", f"https://maps.example/?key={WORD}&q=1"),
    Planted("Azure connection string", f"AccountName=classaccount;AccountKey={KEY};Suffix=x"),
    Planted("SharedAccessSignature", f"SharedAccessSignature=sv=2017&sig={KEY}"),
    Planted("SharedAccessKey", f"Endpoint=sb://x;SharedAccessKeyName=a;SharedAccessKey={KEY}"),
    Planted("ADO connection string", f"Server=db;User Id=ann;Pwd={WORD};"),
    Planted("JSON", json.dumps({"user": "ann", "token": WORD})),
    Planted("JSON, nested", json.dumps({"a": [{"b": {"client_secret": WORD}}]})),
    Planted("JSON, a list of tokens", json.dumps({"tokens": [WORD, "CASEtwo"]})),
    Planted("JSON in JSON", json.dumps({"config": json.dumps({"apiKey": WORD})})),
    Planted("JSON within a sentence", f'config {json.dumps({"auth": {"x": WORD}})} loaded'),
    Planted("JSON that is cut", f'{{"cluster": {{}}, "credentials": {{"user": "{WORD}", "b": "C'),
    Planted("JSON with equal keys", f'{{"x": "password={WORD}", "x": 1}}'),
    Planted("a number", '{"password": 31415926535}', ("31415926535",)),
    Planted("escaped JSON", f'run with {{\\"token\\": \\"{WORD}\\"}}'),
    Planted("JSON of name and value", json.dumps([{"name": "DB_PASSWORD", "value": WORD}])),
    Planted("a dictionary of Python", f"{{'password': '{WORD}'}}"),
    Planted("Docker's config", json.dumps({"auths": {"r.example": {"auth": "CASE" + "YW5uOnB3"}}})),
    Planted("YAML", f"db:\n  password: {WORD}\n  port: 1"),
    Planted("YAML of name and value", f"- name: DB_PASSWORD\n  value: {WORD}\n"),
    Planted("YAML, a block", f"password: |\n  {WORD}\n  CASEtwo\nport: 1"),
    Planted("YAML, on the next line", f"password:\n  {WORD}\n"),
    Planted("XML", f"<db><password>{WORD}</password></db>"),
    Planted("HTML", f"&quot;token&quot;: &quot;{WORD}&quot;"),
    Planted(".netrc", f"machine git.example login ann password {WORD}"),
    Planted(".netrc, lines", f"machine git.example\nlogin ann\npassword {WORD}"),
    Planted(".npmrc", f"//registry.example/:_authToken={WORD}"),
    Planted("ENV of a Dockerfile", f"ENV DB_PASSWORD {WORD}"),
    Planted("SQL", f"CREATE USER ann IDENTIFIED BY '{WORD}'"),
    Planted("Bearer", f"Authorization: Bearer {WORD}abc123"),
    Planted("Bearer alone", f"got bearer {WORD}abc123 from x"),
    Planted("Basic", "Authorization: Basic CASE" + "YW5uOmh1bnRlcjI="),
    Planted("Basic alone", "sent Basic CASE" + "YW5uOmh1bnRlcjI= to x"),
    Planted("Digest", f'Authorization: Digest username="ann", response="{WORD}"'),
    Planted("a header of its own", f'curl -H "X-Api-Key: {WORD}" https://x.example'),
    Planted("cookies", f"Cookie: theme=dark; session={WORD}; last=CASEtwo"),
    Planted("Set-Cookie", f"Set-Cookie: id={WORD}; Path=/"),
    Planted("JWT", f"sent {JWT} to x", ("CASE", "JzdWIiOiJhbm4ifQ")),
    Planted("PEM", f"key:\n{PEM}\nnext", ("CASE",)),
    Planted("PEM with escaped line ends", f'"{PEM}"'.replace("\n", "\\n")),
    Planted("PEM that is cut", PEM.split("\n-----END")[0]),
    Planted("PEM without its beginning", PEM.split("-----\n", 1)[1]),
    Planted("AWS", "AKIA" + "CASEIOSFODNN7EXA"),
    Planted("GitHub", "ghp_" + "CASE1234567890abcdefABCD"),
    Planted("GitHub, fine-grained", "github_pat_" + "CASE11ABCDEFG0_abcdefgh"),
    Planted("GitLab", "glpat-" + "CASE1234567890abcdef"),
    Planted("Hugging Face", "hf_" + "CASEAbCdEfGhIjKlMnOp"),
    Planted("OpenAI", "sk-" + "proj-CASE1234567890abcdefABCD"),
    Planted("Slack", "xoxb-" + "123456789012-CASEabcdef"),
    Planted("Slack's webhook", "https://hooks.slack.com/services/" + "T000/B000/CASEabc"),
    Planted("Google", "AIza" + "SyCASE1234567890abcdefABCDEFGHIJKLM"),
    Planted("Stripe", "sk_live_" + "CASE1234567890abcdef"),
    Planted("npm", "npm_" + "CASE1234567890abcdefABCD"),
    Planted("Vault", "hvs." + "CASE1234567890abcdefABCD"),
    Planted("SendGrid", "SG." + "CASE1234567890abcdef.CASE1234567890"),
    Planted("hash of a password", "ann:$apr1$" + "CASE1234$abcdefABCDEFGH1234"),
    Planted("long base64", f"loaded {KEY}"),
    Planted("base64 of a password", base64.b64encode(f"password={WORD}".encode()).decode(),
            (base64.b64encode(f"password={WORD}".encode()).decode(),)),
    Planted("percent signs", f"x={quote(json.dumps({'token': WORD}))}"),
]  # fmt: skip


def variable(name: str, value: str) -> Data:
    return {"env": [{"name": name, "value": value}]}


NODES = [
    *(
        Planted(f"variable {name}", variable(name, WORD))
        for name in (
            *("DB_PASSWORD", "API_KEY", "AZURE_STORAGE_KEY", "MYSQL_PWD", "AWS_SECRET_ACCESS_KEY"),
            *("HF_TOKEN", "GITHUB_PAT", "SSH_PASSPHRASE", "dbPassword", "AZURE_SAS", "SENTRY_DSN"),
            *("AZURE_STORAGE_CONNECTION_STRING", "CLIENT_SECRET", "BASIC_AUTH", "X_SIGNATURE"),
        )
    ),
    Planted("a variable's Name and Value", {"Name": "DB_PASSWORD", "Value": WORD}),
    Planted("a map's key", {"db-password": WORD}),
    Planted("a map below a key", {"credentials": {"user": "CASEann", "list": [WORD, 31415926535]}},
            ("CASE", "31415926535")),
    Planted("an annotation", {"annotations": {"example.com/api-token": WORD}}),
    Planted("kubectl's copy", {"kubectl.kubernetes.io/last-applied-configuration": WORD}),
    Planted("a key that is one", {f"ghp_{WORD}1234567890abcdef": "x"}),
    Planted("an option's word", {"args": ["train", "--password", WORD]}),
    Planted("an option's number", {"args": ["--password", 31415926535]}, ("31415926535",)),
    Planted("an option in another case", {"args": ["--accessKey", WORD]}),
    Planted("--key", {"args": ["--key", WORD]}),
    Planted("mysql", {"command": ["mysql", "-u", "root", f"-p{WORD}"]}),
    Planted("-p of a program that logs in", {"args": ["docker", "login", "-p", WORD]}),
    Planted("from command to args", {"command": ["/bin/mysql"], "args": ["-p", WORD]}),
    Planted("an option in command, its value in args", {"command": ["t", "--pw-token"],
            "args": [WORD]}),
    Planted("a login", {"args": ["curl", "-u", f"ann:{WORD}"]}),
    Planted("a word of its own", {"args": ["set", "password", WORD]}),
    Planted("sh -c", {"command": ["sh", "-c", f"train --password {WORD}"]}),
    Planted("TF_CONFIG", variable("TF_CONFIG", json.dumps({"cluster": {}, "token": WORD}))),
    Planted("deep", json.loads('[' * 200 + f'"password={WORD}"' + ']' * 200)),
]  # fmt: skip


# Places of a snapshot; each puts a text into the data of ``world.done``.


def _pod(data: Data) -> Data:
    found: Data = data["objects"]["pods"][0]
    return found


def _main(data: Data) -> Data:
    found: Data = _pod(data)["spec"]["containers"][0]
    return found


def _log(data: Data, *lines: str) -> None:
    name = f"{_pod(data)['metadata']['name']}/tensorflow"
    written = data["logs"][name]
    timed = [f"{TIME} {part}\n" for line in lines for part in line.split("\n")]
    data["logs"][name] = {"head": "".join([*timed, written["head"], "\n", *timed]), "tail": "",
                          "cut": False}  # fmt: skip


def _event(data: Data, text: str) -> None:
    about = {"kind": "Pod", **{k: _pod(data)["metadata"][k] for k in ("name", "uid")}}
    data["objects"]["events"].append({"involvedObject": about, "reason": "Failed", "message": text})


def _status(data: Data, text: str) -> None:
    _pod(data)["status"]["message"] = text
    ended = _pod(data)["status"]["containerStatuses"][0]["state"]["terminated"]
    ended["message"] = text


Place = Callable[[Data, str], object]
PLACES: dict[str, Place] = {
    "a word of args": lambda data, text: _main(data)["args"].append(text),
    "the text of sh -c": lambda data, text: _main(data).update(command=["sh", "-c", text]),
    "a variable": lambda data, text: _main(data).update(variable("NOTE", text)),
    "LD_LIBRARY_PATH": lambda data, text: _main(data).update(variable("LD_LIBRARY_PATH", text)),
    "an image": lambda data, text: _main(data).update(image=text),
    "a working folder": lambda data, text: _main(data).update(workingDir=text),
    "a path of the node": lambda data, text: _pod(data)["spec"]["volumes"][0].update(
        hostPath={"path": text}
    ),
    "a label that stays": lambda data, text: _pod(data)["metadata"]["labels"].update(
        {"app.kubernetes.io/name": text}
    ),
    "a selector": lambda data, text: _pod(data)["spec"].update(nodeSelector={text: "x", "x": text}),
    "a resource": lambda data, text: _main(data).update(resources={"limits": {text: text}}),
    "the context": lambda data, text: data.update(context=text),
    "a log": lambda data, text: _log(data, text),
    "an event": _event,
    "a status": _status,
    "an answer": lambda data, text: data["answers"].update(
        {"tensorboard:80/data": {"status": 200, "body": text}}
    ),
    "a refusal": lambda data, text: data["missing"].update(
        {"nodes": {"status": 403, "message": text}}
    ),
    "a condition": lambda data, text: data["objects"]["tfjobs"][0]["status"]["conditions"].append(
        {"type": "Failed", "status": "False", "message": text}
    ),
    "the operator's file": lambda data, text: data["operator"]["configmaps"][0]["data"].update(
        {"controller_config_file.yaml": text}
    ),
}


# What looks like nothing, and is nobody's business.


def _foreign(name: str) -> Data:
    return {
        "kind": "Pod",
        "metadata": {"name": name, "uid": f"uid-{name}", "annotations": {"note": WORD}},
        "spec": {"containers": [{"name": "main", "image": WORD, "args": [WORD]}]},
    }


def _side_car(data: Data) -> None:
    containers = _pod(data)["spec"]["containers"]
    containers.append({"name": "side", "image": "x", "command": [WORD], "args": ["run", WORD]})


def _side_cars_variable(data: Data) -> None:
    side = {"name": "side", "image": "x", **variable("PATH", WORD)}
    _pod(data)["spec"]["containers"].append(side)


DROPPED: dict[str, Callable[[Data], object]] = {
    "a variable": lambda data: _main(data).update(variable("MY_WORD", WORD)),
    "a variable of TF_CONFIG's": lambda data: _main(data).update(
        variable("TF_CONFIG", json.dumps({"cluster": {}, "mine": WORD}))
    ),
    "a variable behind an option": lambda data: _main(data).update(
        {**variable("MINE", WORD), "args": ["--password", "$(MINE)"]}
    ),
    "a side-car's variable": _side_cars_variable,
    "another Pod": lambda data: data["objects"]["pods"].append(_foreign("notebook")),
    "another Pod's log": lambda data: data["logs"].update({"notebook/main": WORD}),
    "another Pod's refusal": lambda data: data["missing"].update(
        {"log notebook/main": {"status": 403, "message": WORD}}
    ),
    "another TfJob": lambda data: data["objects"]["tfjobs"].append(_foreign(f"other-{WORD}")),
    "a near miss": lambda data: data["objects"]["jobs"].append(_foreign("module5-ex1")),
    "another release": lambda data: data["objects"]["helm"].append(
        {"metadata": {"name": WORD, "labels": {"owner": "helm", "name": WORD}}}
    ),
    "an event of another Pod": lambda data: data["objects"]["events"].append(
        {"involvedObject": {"name": "notebook", "uid": "uid-notebook"}, "message": WORD}
    ),
    "a side-car's words": _side_car,
    "an annotation": lambda data: _pod(data)["metadata"].update(annotations={"note": WORD}),
    "a label": lambda data: _pod(data)["metadata"]["labels"].update(team=WORD),
    "a Pod's addresses": lambda data: _pod(data)["status"].update(podIP=WORD, hostIP=WORD),
    "a node's addresses": lambda data: data["objects"]["nodes"][0]["status"].update(
        addresses=[{"address": WORD}], nodeInfo={"machineID": WORD}
    ),
    "a node's label": lambda data: data["objects"]["nodes"][0]["metadata"]["labels"].update(
        {"example.com/rack": WORD}
    ),
    "a kind of its own": lambda data: data["objects"].update(configmaps=[{"data": {"x": WORD}}]),
    "another file of the operator's": lambda data: data["operator"]["configmaps"][0]["data"].update(
        {"other.yaml": WORD}
    ),
    "the path of a kubeconfig": lambda data: data["flags"].append(f"--kubeconfig={WORD}"),
    "other people's namespaces": lambda data: data.update(
        elsewhere={"tfjobs": {"theirs": [WORD], "module9-ex9": [WORD]}}
    ),
    "a section of its own": lambda data: data.update(connection={"token": WORD}),
    "the middle of a log": lambda data: _log(data, *["a line"] * 6, WORD, *["a line"] * 6),
    "who an image is pulled as": lambda data: _pod(data)["spec"].update(
        imagePullSecrets=[{"name": WORD}], serviceAccountName=WORD
    ),
    "what a volume is of": lambda data: _pod(data)["spec"]["volumes"].append(
        {"name": "x", "secret": {"secretName": WORD}}
    ),
    "where variables come from": lambda data: _main(data).update(
        envFrom=[{"secretRef": {"name": WORD}}]
    ),
}
