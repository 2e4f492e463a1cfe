import os

import pytest

from cluster.host.locks import locked


@pytest.fixture
def not_writable(monkeypatch):
    """Files are root's: only reading is allowed."""
    opened = os.open

    def refuse(path, flags, mode=0o777):
        if flags & os.O_RDWR:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, flags, mode)

    monkeypatch.setattr(os, "open", refuse)


def test_a_lock_that_root_made_is_the_users_too(tmp_path, not_writable):
    (tmp_path / "x.lock").touch()
    with locked(tmp_path / "x.lock", lambda: None):
        pass


def test_a_lock_that_may_not_be_read_either_is_an_error(tmp_path, not_writable):
    with pytest.raises(OSError), locked(tmp_path / "x.lock", lambda: None):
        pass
