"""How the node starts, stops, and gets on with whatever else is there."""

import os
import pathlib
import resource
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest

from api import Api
from conftest import ALOUDD, eventually, free_port


def run(*args, **kwargs):
    return subprocess.run([ALOUDD, *args], capture_output=True, text=True, timeout=20, **kwargs)


def test_it_starts_answers_and_stops_cleanly(node):
    with node.api() as api:
        assert api.call("hello", v=1)["pid"] == node.process.pid
    assert node.stop() == 0
    assert not node.socket.exists()


def test_stop_over_the_api_answers_and_ends(node):
    assert node.api().call("stop") == {}
    assert node.wait() == 0


def test_a_directory_without_identity_is_refused(new_node):
    node = new_node("nobody", init=False)
    assert "no identity" in node.spawn()
    assert node.wait() == 78


def test_init_never_replaces_what_is_there(new_node, tmp_path):
    node = new_node("ana")
    before = (node.home / "keys" / "device").read_bytes()
    again = run("init", "--home", node.home, "--name", "Eve", "--phrase-out", tmp_path / "w")
    assert again.returncode == 77
    assert "try: aloud status" in again.stderr
    assert not (tmp_path / "w").exists()
    assert (node.home / "keys" / "device").read_bytes() == before


def test_init_without_a_terminal_needs_a_place_for_the_words(tmp_path):
    result = run("init", "--home", tmp_path / "h", "--name", "Ana")
    assert result.returncode == 2
    assert "--phrase-out" in result.stderr


def test_init_writes_the_words_to_a_new_private_file_only(tmp_path):
    words = tmp_path / "words"
    words.write_text("mine")
    args = ("init", "--home", tmp_path / "h", "--name", "Ana", "--phrase-out", words)
    assert run(*args).returncode == 77
    assert words.read_text() == "mine"
    words.unlink()
    assert run(*args).returncode == 0
    assert len(words.read_text().split()) == 24
    assert stat.S_IMODE(words.stat().st_mode) == 0o600


def test_init_that_was_broken_off_is_done_anew(tmp_path):
    home = tmp_path / "h"
    args = ("init", "--home", home, "--name", "Ana", "--phrase-out")
    assert run(*args, tmp_path / "w1").returncode == 0
    (home / "keys" / "device").unlink()  # the last thing that init makes
    (home / "keys" / "instance").unlink()
    assert run(*args, tmp_path / "w2").returncode == 0
    assert (tmp_path / "w1").read_text() != (tmp_path / "w2").read_text()


def test_init_does_not_touch_a_log_with_entries(node, tmp_path):
    node.api().post("mine")
    node.stop()
    (node.home / "keys" / "device").unlink()
    before = (node.home / "log.db").read_bytes()
    result = run("init", "--home", node.home, "--name", "Eve", "--phrase-out", tmp_path / "w")
    assert result.returncode == 77
    assert "aloud restore" in result.stderr
    assert (node.home / "log.db").read_bytes() == before


@pytest.mark.parametrize("name", ["", " ana", "a\u202eb", "x" * 65, "a\nb"])
def test_init_refuses_a_name_that_shows_as_another(tmp_path, name):
    words = tmp_path / "w"
    result = run("init", "--home", tmp_path / "h", "--name", name, "--phrase-out", words)
    assert result.returncode == 2
    assert not words.exists()


def test_of_two_starts_at_once_one_runs(new_node):
    node = new_node("ana")
    said = []
    others = [new_node("ana", init=False) for _ in range(4)]
    threads = [threading.Thread(target=lambda n=n: said.append((n.spawn(), n))) for n in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ready = [n for line, n in said if line == "ready"]
    assert len(ready) == 1
    for line, n in said:
        if n is not ready[0]:
            assert "running already" in line
            assert n.wait() == 69
    with Api(node.socket) as api:
        assert api.call("hello", v=1)["pid"] == ready[0].process.pid


def test_a_stale_socket_is_taken_over(node):
    node.kill()
    assert node.socket.exists()
    node.start()
    node.api().call("status")


def test_kill_and_restart_keeps_what_was_answered(node):
    api = node.api()
    positions = [api.post(f"number {i}")["pos"] for i in range(20)]
    node.kill()
    node.start()
    status = node.api().call("status")
    assert status["pos"] >= positions[-1]
    assert status["own_entries"] >= 20


def test_a_call_that_is_repeated_with_its_key_does_nothing_new(node):
    key = os.urandom(16)
    first = node.api().post("once", key=key)
    node.kill()
    node.start()
    assert node.api().post("once", key=key) == first


def test_garbage_on_the_local_socket_hurts_nobody_else(node):
    good = node.api()
    for junk in [b"GET / HTTP/1.1\r\n\r\n", os.urandom(4096), b"\xdd\xff\xff\xff\xff", b"\xc1"]:
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(node.socket))
            s.sendall(junk)
            s.settimeout(20)
            assert s.recv(1) == b""
    assert good.call("hello", v=1)["v"] == 1


def test_garbage_on_the_port_meets_silence(new_node):
    port = free_port()
    node = new_node("ana").start("--listen", f"127.0.0.1:{port}")
    eventually(lambda: node.api().call("status")["listening"], "listening")
    for junk in [b"GET / HTTP/1.1\r\n\r\n", b"\x00\x30" + os.urandom(48), os.urandom(70000)]:
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.sendall(junk)
            s.settimeout(0.3)
            with pytest.raises(TimeoutError):
                s.recv(1)
    node.api().call("status")
    assert node.stop() == 0


def test_a_port_in_use_is_said_and_all_else_works(new_node):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        node = new_node("ana").start("--listen", f"127.0.0.1:{port}")
        api = node.api()
        error = eventually(lambda: api.call("status")["listen_error"], "the error")
        assert str(port) in error
        api.post("still works")


def test_the_port_is_closed_until_it_is_wanted(node):
    assert node.api().call("status")["listening"] == []


def test_socket_activation_serves_the_inherited_socket(new_node, tmp_path):
    node = new_node("ana")
    path = tmp_path / "activated"
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(path))
        s.listen()

        def inherit():
            os.dup2(s.fileno(), 3)
            os.environ["LISTEN_FDS"] = "1"
            os.environ["LISTEN_PID"] = str(os.getpid())

        node.process = subprocess.Popen(
            ["/bin/sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" --foreground --home "$1"',
             ALOUDD, node.home],
            preexec_fn=inherit, close_fds=False, stderr=subprocess.DEVNULL)
        with Api(path) as api:
            assert api.call("hello", v=1)["v"] == 1
        assert not node.socket.exists()
        assert node.stop() == 0


def test_systemd_is_told_when_it_is_ready_and_when_it_stops(new_node, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(str(tmp_path / "notify"))
        s.settimeout(20)
        node = new_node("ana").start(env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert s.recv(100) == b"READY=1"
        node.stop()
        assert s.recv(100) == b"STOPPING=1"


def test_it_detaches_and_reports_success_or_failure(new_node):
    node = new_node("ana")
    assert run("--home", node.home).returncode == 0
    with Api(node.socket) as api:
        pid = api.call("hello", v=1)["pid"]
        assert os.getsid(pid) == pid
        assert os.readlink(f"/proc/{pid}/fd/2") == "/dev/null"
        second = run("--home", node.home)
        assert second.returncode == 69
        assert f"process {pid}" in second.stderr
        api.call("stop")
    eventually(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "the end")
    log = node.home / "state" / "aloudd.log"
    assert "ready" in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_everything_it_makes_is_private_whatever_the_umask(new_node):
    node = new_node("ana").start(preexec_fn=lambda: os.umask(0))
    for path in [node.home, *node.home.rglob("*")]:
        assert stat.S_IMODE(path.lstat().st_mode) & 0o077 == 0, path


def test_a_socket_directory_open_to_others_is_refused(new_node, tmp_path):
    node = new_node("ana")
    (tmp_path / "open").mkdir(mode=0o777)
    os.chmod(tmp_path / "open", 0o777)
    assert "not safe" in node.spawn("--socket", tmp_path / "open" / "socket")
    assert node.wait() == 77


def test_a_mistake_in_the_configuration_is_named(new_node):
    node = new_node("ana")
    config = node.home / "wrong.conf"
    config.write_text("listen = :1\nlisten-on = :2\n")
    said = node.spawn("--config", config)
    assert f"{config}:2: unknown key 'listen-on'; did you mean 'listen'" in said
    assert node.wait() == 78


def test_a_second_signal_ends_it_at_once(node):
    node.process.send_signal(signal.SIGSTOP)
    node.process.send_signal(signal.SIGTERM)
    node.process.send_signal(signal.SIGINT)
    node.process.send_signal(signal.SIGCONT)
    assert node.wait() in (0, 130, 143)


def test_an_older_state_of_the_database_is_noticed(node, tmp_path):
    node.api().post("first")
    node.stop()
    old = (node.home / "log.db").read_bytes()
    node.start()
    node.api().post("second")
    node.stop()
    (node.home / "log.db").write_bytes(old)
    (node.home / "log.db-wal").unlink(missing_ok=True)
    node.start()
    ref = node.api().post("third")["ref"]
    assert ref[2] == 1  # a new log: number 2 of the old one may be known to others
    assert "new log" in node.log()


@pytest.mark.skipif(b"__tsan_init" in ALOUDD.read_bytes(), reason="its own thread wakes up")
def test_an_idle_node_does_not_wake_up(node):
    node.api().call("status")

    def switches():
        total = 0
        for task in pathlib.Path(f"/proc/{node.process.pid}/task").iterdir():
            for line in (task / "status").read_text().splitlines():
                if line.startswith("voluntary_ctxt_switches"):
                    total += int(line.split()[1])
        return total

    def rests():
        before = switches()
        time.sleep(0.5)
        return switches() == before

    eventually(rests, "rest")


def core_limits(pid):
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
    return next(line for line in limits.splitlines() if line.startswith("Max core")).split()[4:6]


@pytest.fixture(name="cores")
def cores_are_wanted():
    """Whoever does nothing about it may dump a core."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


def test_no_core_can_be_dumped(cores, node):
    assert core_limits(node.process.pid) == ["0", "0"]


def test_no_core_of_who_asks_for_the_words_can_be_dumped(cores, home, new_home):
    terminal = home.at_terminal("device", "rekey")
    terminal.expect("word 1 and on: ")
    assert core_limits(terminal.pid) == ["0", "0"]
    terminal.type(home.words().read_text().strip())
    assert terminal.end() == 0
    terminal = new_home("again", init=False).at_terminal("restore")  # aloudd asks
    terminal.expect("word 1")
    children = f"/proc/{terminal.pid}/task/{terminal.pid}/children"
    (child,) = pathlib.Path(children).read_text().split()
    assert core_limits(child) == ["0", "0"]
    terminal.type("\x04")  # the end of the input
    assert terminal.end() != 0
