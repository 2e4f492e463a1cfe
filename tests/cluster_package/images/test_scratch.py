import json
import tarfile

from cluster.images import scratch


def test_a_scratch_image_holds_its_program_and_runs_it(tmp_path):
    program = tmp_path / "hello"
    program.write_bytes(b"\x7fELF")
    archive = tmp_path / "hello.tar"
    scratch.scratch_archive(archive, "registry.example/hello:1", program)
    with tarfile.open(archive) as outer:
        [entry] = json.load(outer.extractfile("manifest.json"))
        config = json.load(outer.extractfile(entry["Config"]))
        [layer] = [outer.extractfile(name) for name in entry["Layers"]]
        with tarfile.open(fileobj=layer) as inner:
            [member] = inner.getmembers()
            assert (member.name, member.mode) == ("hello", 0o755)
    assert entry["RepoTags"] == ["registry.example/hello:1"]
    assert config["config"]["Entrypoint"] == ["/hello"]


def test_a_nodes_archive_that_an_earlier_version_named_otherwise_is_made_again(
    tmp_path, monkeypatch
):
    for name in ("pause", "coredns"):
        (tmp_path / name).write_bytes(b"a program")
    before = scratch.node_archives(tmp_path)
    monkeypatch.setattr(scratch.addresses, "PAUSE_IMAGE", "registry.example/pause:1.0.0")
    after = scratch.node_archives(tmp_path)
    assert before[0] != after[0]
    assert before[1] == after[1]
