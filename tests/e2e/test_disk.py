"""Disks that are full, files that are something else, a local socket under attack."""

import contextlib
import os
import pathlib
import resource
import socket
import struct
import subprocess

import msgpack
import pytest

from api import Api, ApiError
from conftest import ALOUDD, eventually
from test_hostile import GROWTH_MAX, INSTRUMENTED, memory
from test_kill import notes

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def may_mount():
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not may_mount(), reason="needs a mount namespace")
def test_a_full_disk_is_named_reading_goes_on_and_so_does_writing_after_it(new_node, tmp_path):
    node = new_node("ana")
    inside = start_on_a_small_disk(node, tmp_path)
    api = node.api()
    ballast = inside / "ballast"
    fill(ballast, 600_000)
    answered = ["before", *post_until_it_is_full(api)]
    assert api.call("timeline", limit=5)["rows"]
    ballast.unlink()
    eventually(lambda: posts(api, "after"), "a post that works")
    eventually(lambda: sorted(notes(node)) == sorted([*answered, "after"]), "every post, once")


@pytest.mark.skipif(not may_mount(), reason="needs a mount namespace")
def test_without_space_to_open_the_log_again_the_node_still_answers(new_node, tmp_path):
    """What was committed lies in the write-ahead log, and log.db can't grow to take it."""
    node = new_node("ana")
    inside = start_on_a_small_disk(node, tmp_path)
    api = node.api()
    ballast = inside / "ballast"
    fill(ballast, 600_000)
    answered = ["before", *post_until_it_is_full(api)]
    fill(inside / "rest", 0)
    for _ in range(3):
        with pytest.raises(ApiError) as error:
            api.post("too much")
        assert error.value.name == "disk-full"
        status = api.call("status")
        assert "disk-full" in [problem["code"] for problem in status["problems"]]
        assert status["own_entries"] >= len(answered)
        assert api.call("timeline", limit=5)["rows"] and api.call("circles") == {"circles": []}
    ballast.unlink()
    eventually(lambda: posts(api, "after"), "a post that works")
    eventually(lambda: sorted(notes(node)) == sorted([*answered, "after"]), "every post, once")
    problems = api.call("status")["problems"]
    assert "disk-full" not in [problem["code"] for problem in problems]
    assert node.stop() == 0


def fill(path, free_bytes):
    """All of the disk but |free_bytes|, in the file |path|."""
    free = os.statvfs(path.parent)
    with open(path, "wb") as file, contextlib.suppress(OSError):
        file.write(bytes(max(0, free.f_bavail * free.f_bsize - free_bytes)))


def post_until_it_is_full(api):
    answered = []
    with pytest.raises(ApiError) as error:
        for i in range(2000):
            api.post(f"{i} " + "x" * 4000)
            answered.append(f"{i} " + "x" * 4000)
    assert error.value.name == "disk-full"
    return answered


def posts(api, text):
    try:
        return api.post(text)
    except ApiError:
        return None


def start_on_a_small_disk(node, tmp_path):
    """Where its data directory can be seen from here; it holds one post."""
    node.start().api().post("before")
    node.stop()
    (tmp_path / "run").mkdir(mode=0o700)
    node.socket = tmp_path / "run" / "socket"
    script = ('mount -t tmpfs -o size=2m,mode=700 none "$1" && cp -a "$2"/. "$1" && shift 2 && '
              'exec "$@"')
    (tmp_path / "small").mkdir()
    home, node.home = node.home, tmp_path / "small"
    said = node.spawn("--socket", str(node.socket),
                      wrap=["unshare", "-m", "sh", "-c", script, "-", str(node.home), str(home)])
    assert said == "ready"
    return pathlib.Path(f"/proc/{node.process.pid}/root{node.home}")


def test_a_limit_on_the_size_of_files_is_a_full_disk(new_node):
    node = new_node("ana")
    node.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000)))
    api = node.api()
    answered = []
    with pytest.raises(ApiError) as error:
        for i in range(200):
            api.post(f"{i} " + "x" * 4000)
            answered.append(f"{i} " + "x" * 4000)
    assert error.value.name in ("disk-full", "io")
    assert api.call("timeline", limit=5)["rows"]
    assert node.stop() == 0
    node.start()
    assert set(answered) <= set(notes(node))


@pytest.mark.parametrize("what", ["fifo", "directory", "symlink", "garbage"])
@pytest.mark.parametrize("name", ["log.db", "views.db", "keys/device", "keys/instance", "config",
                                  "lock", "socket"])
def test_something_else_in_place_of_a_file_is_refused_or_replaced(new_node, tmp_path, name, what):
    """Never waited for, never written through: what the link leads to stays as it is."""
    node = new_node("ana")
    node.start().api().post("here")
    node.stop()
    path, victim = node.home / name, tmp_path / "victim"
    victim.write_bytes(b"precious")
    for p in path.parent.glob(f"{path.name}*"):
        p.unlink()
    if what == "fifo":
        os.mkfifo(path, 0o600)
    elif what == "directory":
        path.mkdir(mode=0o700)
    elif what == "symlink":
        path.symlink_to(victim)
    else:
        path.write_bytes(b"li\x1b[31mst\xff\xfe = 1\n" + os.urandom(9000))
        path.chmod(0o600)
    options = ["--config", str(path)] if name == "config" else []
    said = node.spawn(*options)
    if said == "ready":
        assert name in ("views.db", "lock", "socket")
        assert node.api().call("status")["own_entries"] >= 1
        assert node.stop() == 0
    else:
        assert 0 < node.wait() < 128, said
        assert said
    assert victim.read_bytes() == b"precious"


def test_a_data_directory_behind_a_symbolic_link_is_refused(new_node, tmp_path):
    node = new_node("ana").start()
    (tmp_path / "link").symlink_to(node.home)
    second = subprocess.run([ALOUDD, "--foreground", "--home", tmp_path / "link"], text=True,
                            capture_output=True, timeout=20, check=False)
    assert second.returncode == 77 and "try: aloud paths" in second.stderr
    assert node.api().call("status")["own_entries"] >= 1


def test_a_path_too_long_for_a_socket_is_said(new_node, tmp_path):
    node = new_node("ana")
    said = node.spawn("--socket", str(tmp_path / ("x" * 120) / "socket"))
    assert said != "ready" and "too long" in said
    assert 0 < node.wait() < 128


def test_without_home_it_is_said_that_there_is_no_place(tmp_path):
    env = {"PATH": "/usr/bin:/bin"}
    for args in (["init", "--name", "ana", "--phrase-out", str(tmp_path / "w")], ["--foreground"]):
        done = subprocess.run([ALOUDD, *args], env=env, cwd=tmp_path, text=True,
                              capture_output=True, timeout=20, check=False)
        assert 0 < done.returncode < 128 and "no place" in done.stderr


@as_root
def test_another_user_is_refused_at_the_socket(node):
    nobody = 65534
    for path in [node.home, *node.home.parents]:
        if not path.stat().st_mode & 0o001:
            path.chmod(0o711)
    node.socket.chmod(0o777)
    script = ("import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
              "s.sendall(bytes.fromhex('94000aa673746174757380')); print(len(s.recv(99)))")
    done = subprocess.run(["/usr/bin/python3", "-c", script, node.socket], text=True,
                          capture_output=True, timeout=20, check=False, user=nobody, group=nobody)
    assert done.stdout == "0\n" or "ConnectionResetError" in done.stderr or \
        "BrokenPipe" in done.stderr, done


# --- clients that do their worst -------------------------------------------------------------------


def test_clients_that_stop_half_way_or_never_read_hurt_nobody_else(node):
    api = node.api()
    api.write("post_many", to="network",
              entries=[{"k": "note", "text": "x" * 8000} for _ in range(100)])
    eventually(lambda: len(notes(node)) == 100, "the views")
    idle = memory(node, "VmRSS")
    request = msgpack.packb([0, 1, "timeline", {"limit": 200}])
    held = []
    for data in (b"\x94", request[:-3], b"\x94\x00\x01\xdb\xff\xff\xff\xff" + b"a" * 100000,
                 b"\x94\x00\x01\xc6" + struct.pack(">I", 900000), request * 3000,
                 msgpack.packb([0, 1, "subscribe", {"from": 0}]) * 50, b"\x91" * 200000,
                 b"\xdd\x00\x0f\xff\xff" * 10):
        s = socket.socket(socket.AF_UNIX)
        s.setblocking(False)
        s.connect(str(node.socket))
        try:
            s.send(data)
        except (BlockingIOError, ConnectionError):
            pass
        held.append(s)
    for i in range(20):
        api.post(f"meanwhile {i}")
    assert api.call("status")["own_entries"] >= 120
    if not INSTRUMENTED:
        assert memory(node, "VmHWM") - idle < GROWTH_MAX
    for s in held:
        s.close()
    assert node.stop() == 0


def test_more_clients_than_there_is_room_for_find_it_later(node):
    crowd = []
    for _ in range(300):
        s = socket.socket(socket.AF_UNIX)
        s.setblocking(False)
        try:
            s.connect(str(node.socket))
        except BlockingIOError:
            s.close()
            continue
        crowd.append(s)
    for s in crowd:
        s.close()

    def greeted():
        try:
            with Api(node.socket) as api:
                return api.call("hello", v=1)
        except BlockingIOError:
            return None  # those who have left are still in the queue

    assert eventually(greeted, "an answer")["v"] == 1


def test_a_request_that_comes_byte_by_byte_is_answered(node):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(node.socket))
        for byte in msgpack.packb([0, 7, "hello", {"v": 1}]):
            s.sendall(bytes([byte]))
        s.settimeout(20)
        assert msgpack.unpackb(s.recv(1000))[1] == 7
