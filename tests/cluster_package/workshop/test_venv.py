import pytest

from cluster.errors import CannotGoOn
from cluster.workshop import venv

PIP = """\
#!/bin/sh
echo "Collecting a"
echo downloaded > "$TMPDIR/a.whl"
test -e {good} || {{ echo "ERROR: no network"; exit 1; }}
"""


@pytest.fixture
def pip(tmp_path):
    """What stands in for a Python with pip; it fails unless there is a file `good`."""
    program = tmp_path / "python"
    program.write_text(PIP.format(good=tmp_path / "good"))
    program.chmod(0o755)
    (tmp_path / "requirements.txt").write_text("a==1\n")
    return program


def install(pip, said):
    scratch = pip.with_name("scratch")
    venv.install(pip, pip.with_name("requirements.txt"), scratch, said.append)
    return scratch


def test_what_pip_downloads_is_not_kept_in_tmp(pip, monkeypatch):
    monkeypatch.setenv("TMPDIR", "/nowhere")
    said: list[str] = []
    pip.with_name("good").touch()
    assert not install(pip, said).exists()
    assert said == ["0 of about 1", "1 of about 1"]


def test_what_a_failed_pip_left_goes_with_the_next_one(pip):
    with pytest.raises(CannotGoOn, match="no network"):
        install(pip, [])
    assert pip.with_name("scratch").exists()
    pip.with_name("good").touch()
    assert not install(pip, []).exists()
