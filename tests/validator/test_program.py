"""Whether a container runs the image's own training program."""

import pytest

from validator.program import another_program, option_words

IMAGE = {"name": "tensorflow", "image": "localhost/fashion-mnist:1.2.0"}
TRAIN = "python -m fashion_mnist.train"


def judged(container, volumes=(), **pod):
    mine = {**IMAGE, **container}
    others = pod.pop("others", [])
    return another_program({"containers": [mine, *others], "volumes": list(volumes), **pod}, mine)


def mounted(path, kind="configMap", **more):
    return {"volumeMounts": [{"name": "v", "mountPath": path}], **more}, [{"name": "v", kind: {}}]


def shell(script):
    return {"command": ["sh", "-c", script]}


@pytest.mark.parametrize(
    ("container", "given"),
    [
        pytest.param({}, [], id="the image as it is"),
        pytest.param({"args": ["--max-steps", "5"]}, ["--max-steps", "5"], id="options"),
        pytest.param(
            {"command": ["python", "-u", "-m", "fashion_mnist.train"], "args": ["--seed", "7"]},
            ["--seed", "7"],
            id="the entry point written out",
        ),
        pytest.param(
            {"command": ["/opt/venv/bin/python3", "/opt/fashion-mnist/fashion_mnist/train.py"]},
            [],
            id="the program by its path",
        ),
        pytest.param(shell(f"{TRAIN} --max-steps 500"), ["--max-steps", "500"], id="a shell"),
        pytest.param(shell(f"exec {TRAIN}"), [], id="exec"),
        pytest.param({"command": ["bash", "-lc", TRAIN]}, [], id="a login shell, without volumes"),
        pytest.param(
            shell(
                f"ls /x 2>/dev/null || true; A=b; echo ready >&2; {TRAIN} --seed 7 > /dev/stdout"
            ),
            ["--seed", "7"],
            id="redirections to nowhere",
        ),
        pytest.param(
            shell(
                f"set -e\necho starting\nnvidia-smi || true\n{TRAIN} \\\n --seed 7 2>&1 | tee /x"
            ),
            ["--seed", "7"],
            id="plain commands around it",
        ),
        pytest.param(
            {"command": ["env", "A=b", "nice", "-n", "5", "python", "-mfashion_mnist.train"]},
            [],
            id="programs that start others",
        ),
        pytest.param(
            {"args": ["--max-steps", "$(N)"], "env": [{"name": "N", "value": "5"}]},
            ["--max-steps", "5"],
            id="a variable",
        ),
        pytest.param(
            {"env": [{"name": "LD_PRELOAD", "value": "libtcmalloc.so"}]},
            [],
            id="a library of the image before others",
        ),
    ],
)
def test_the_images_own_program(container, given):
    assert judged(container) is None
    assert option_words({**IMAGE, **container}) == given


@pytest.mark.parametrize(
    ("container", "cause"),
    [
        pytest.param({"command": ["sleep", "9"]}, "command", id="another command"),
        pytest.param(shell("echo step 1/1"), "command", id="a script without the program"),
        pytest.param(
            shell(f"{TRAIN}; echo step 5/5 loss 0.1 accuracy 0.9"), "prints", id="it prints a step"
        ),
        pytest.param(
            shell(f"{TRAIN}; echo 'sa''ved mod'\"el to x\""), "prints", id="with quotes in it"
        ),
        pytest.param(
            {
                "command": ["bash", "-c", TRAIN],
                "env": [{"name": "BASH_FUNC_python%%", "value": "() { sh /x; }"}],
            },
            "code-variable",
            id="a function of bash",
        ),
    ],
)
def test_another_program_is_certain(container, cause):
    doubt = judged(container)
    assert (doubt.cause, doubt.certain) == (cause, True)


@pytest.mark.parametrize(
    "script",
    [
        f"{TRAIN} --help; eval $(echo aGk= | base64 -d)",
        f"{TRAIN}; echo $A",
        f"{TRAIN}; echo -e '\\x73tep 5'",
        f"{TRAIN}; echo -n st; echo ep",
        f"{TRAIN}; cat /data/log",
        f"{TRAIN}; date +%H",
        f"{TRAIN} | sed s/1/2/",
        f"python() {{ sh /x; }}; {TRAIN}",
        f"alias python=/x; {TRAIN}",
        f"/x/python -m fashion_mnist.train # {TRAIN}",
        f"if true; then {TRAIN}; fi",
        f"echo 'exec(x)' > /tmp/numpy.py; {TRAIN}",
        f"echo 'exec(x)'>numpy.py; {TRAIN}",
        f"echo 'exec(x)' | tee numpy.py; {TRAIN}",
        f": >> numpy.py; {TRAIN}",
        f"env; {TRAIN}",
        f"set; {TRAIN}",
        f"export -p; {TRAIN}",
        f"sh /run.sh {TRAIN}",
        f"echo '{TRAIN}",
        "python -c 'import fashion_mnist.train'",
    ],
)
def test_what_a_script_does_besides_cannot_be_told(script):
    doubt = judged(shell(script))
    assert (doubt.cause, doubt.certain) == ("unclear", False)
    assert option_words({**IMAGE, **shell(script)}) is None


@pytest.mark.parametrize(
    "command",
    [
        ["python", "-c", "import fashion_mnist.train"],
        ["sh", "/run.sh", "fashion_mnist.train"],
        ["/x/python", "-m", "fashion_mnist.train"],
        ["python", "/x/fashion_mnist/train.py"],
        ["/x/fashion_mnist/train.py"],
    ],
)
def test_a_command_that_names_the_program_and_runs_another_cannot_be_told(command):
    doubt = judged({"command": command})
    assert (doubt.cause, doubt.certain) == ("unclear", False)


@pytest.mark.parametrize(
    "path",
    ["/opt/fashion-mnist/fashion_mnist/train.py", "/opt", "/usr/bin", "/opt/venv/lib/x",
     "/tmp/fashion_mnist", "/tmp/numpy", "/tmp/json.py", "/etc/ld.so.preload"],
)  # fmt: skip
def test_a_volume_over_the_program_is_certain(path):
    container, volumes = mounted(path)
    doubt = judged(container, volumes)
    assert (doubt.cause, doubt.certain) == ("mounted-code", True)


@pytest.mark.parametrize(
    ("path", "kind", "more"),
    [
        pytest.param("/data", "configMap", {}, id="data"),
        pytest.param("/tmp", "emptyDir", {}, id="an empty folder at /tmp"),
        pytest.param("/tmp", "persistentVolumeClaim", {}, id="a claim at /tmp"),
        pytest.param("/tmp/fashion-mnist", "persistentVolumeClaim", {}, id="a claim for results"),
        pytest.param("/usr/share/datasets/x", "persistentVolumeClaim", {}, id="a data set"),
        pytest.param("/etc/secrets", "secret", {}, id="a secret"),
        pytest.param(
            "/data",
            "persistentVolumeClaim",
            {"env": [{"name": "LD_LIBRARY_PATH", "value": "/usr/lib/nvidia"}]},
            id="the drivers' folder beside a claim",
        ),
    ],
)
def test_a_volume_elsewhere_changes_nothing(path, kind, more):
    container, volumes = mounted(path, kind, **more)
    assert judged(container, volumes) is None


def test_the_drivers_of_gpus_may_be_mounted_among_the_libraries():
    container = {"volumeMounts": [{"name": "v", "mountPath": "/usr/lib/nvidia"}]}
    volumes = [{"name": "v", "hostPath": {"path": "/usr/lib/nvidia-384"}}]
    assert judged(container, volumes) is None


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        ({"env": [{"name": "PYTHONPATH", "value": "/mine"}]}, "code-variable"),
        ({"env": [{"name": "PYTHONPATH", "valueFrom": {}}]}, "code-variable"),
        ({"env": [{"name": "LD_PRELOAD", "value": "/mine/x.so"}]}, "code-variable"),
        ({"envFrom": [{"configMapRef": {"name": "x"}}]}, "env-from"),
        ({"workingDir": "/mine"}, "working-folder"),
        (shell(f"cd /mine; {TRAIN}"), "working-folder"),
        (shell(f"PYTHONPATH=/mine {TRAIN}"), "code-variable"),
        ({"command": ["bash", "-lc", TRAIN]}, "profile"),
        ({"command": ["python", "-Xpycache_prefix=/mine", *TRAIN.split()[1:]]}, "code-variable"),
    ],
)
def test_a_volume_that_variables_may_lead_to_cannot_be_told(more, cause):
    container, volumes = mounted("/mine", **more)
    doubt = judged(container, volumes)
    assert (doubt.cause, doubt.certain) == (cause, False)


def test_only_the_options_of_the_shell_itself_make_it_read_a_profile():
    container, volumes = mounted("/mine", **shell(f"ls -l /mine && {TRAIN}"))
    assert judged(container, volumes) is None


@pytest.mark.parametrize("first", ["exit 0", "exec sleep 1"])
def test_a_program_that_stands_after_the_end_of_a_script_has_not_run(first):
    doubt = judged(shell(f"{first}; {TRAIN}"))
    assert (doubt.cause, doubt.certain) == ("unclear", False)


def test_an_empty_folder_that_an_init_container_fills_cannot_be_told():
    container, volumes = mounted("/tmp", "emptyDir")
    init = {"name": "fill", **container}
    doubt = judged(container, volumes, initContainers=[init])
    assert (doubt.cause, doubt.certain) == ("working-folder", False)
    assert judged(container, volumes, initContainers=[{"name": "fill"}]) is None
