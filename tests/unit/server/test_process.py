import errno
import os
import socket
import sys
from pathlib import Path

import pytest

from headrace.base.errors import ConfigurationError
from headrace.server.instances import FOLDER, Instance, find_instance, find_instances, register
from headrace.server.process import listen, write_url


def test_a_taken_port_is_said_in_one_sentence() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"Port {port} of localhost is taken"):
            listen("localhost", port)


@pytest.mark.parametrize("host", ["no such host", "256.1.1.1", "10.255.255.1"])
def test_an_address_that_is_not_ours_is_said_in_one_sentence(host: str) -> None:
    with pytest.raises(ConfigurationError, match=host) as refused:
        listen(host, 0)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("number", "said"), [(errno.EACCES, "may not listen on port 0"), (errno.EMFILE, "Nobody can listen on 127.0.0.1")]
)
def test_why_nobody_can_listen_is_said(monkeypatch: pytest.MonkeyPatch, number: int, said: str) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(ConfigurationError, match=said):
        listen("127.0.0.1", 0)


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1")])
def test_the_address_is_one_people_can_open(host: str, shown: str) -> None:
    with listen(host, 0) as listener:
        assert write_url(listener) == f"http://{shown}:{listener.getsockname()[1]}"


def test_servers_of_a_home_are_known_while_they_live(tmp_path: Path) -> None:
    assert find_instances(tmp_path) == {}
    registration = register(tmp_path, 4200, "http://127.0.0.1:4200", "1.0", "sqlite:///x")
    found = find_instance(tmp_path, 4200)
    assert isinstance(found, Instance)
    assert (found.pid, found.url, found.database) == (os.getpid(), "http://127.0.0.1:4200", "sqlite:///x")
    assert [*find_instances(tmp_path)] == [4200]
    assert find_instance(tmp_path, 4201) is None
    if sys.platform != "win32":
        assert (tmp_path / FOLDER).stat().st_mode & 0o077 == 0
        assert (tmp_path / FOLDER / "4200.json").stat().st_mode & 0o077 == 0
    registration.close()
    assert find_instances(tmp_path) == {}


def test_one_that_is_just_beginning_is_not_known_yet(tmp_path: Path) -> None:
    registration = register(tmp_path, 4200, "http://127.0.0.1:4200", "1.0", "sqlite:///x")
    (tmp_path / FOLDER / "4200.json").write_text("{")
    assert find_instance(tmp_path, 4200) is None
    registration.close()
