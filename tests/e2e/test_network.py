"""Nodes that meet: invites, catching up, live posts, relays, and those who must stay outside."""

import os

import pytest

from api import ApiError
from conftest import eventually, free_port


def start(node, *options):
    """Start it with a port of its own on loopback, which it keeps over restarts."""
    node.port = getattr(node, "port", None) or free_port()
    return node.start("--listen", f"127.0.0.1:{node.port}", *options)


def entries(node):
    with node.api() as api:
        return api.call("status")["entries"]


def befriend(host, guest):
    """The guest joins with an invite of the host; both follow each other."""
    ticket = host.api().write("invite")["ticket"]
    guest.api().write("join", ticket=ticket)
    eventually(lambda: host.api().call("status")["peers"] >= 1, "the connection")
    return ticket


@pytest.fixture
def pair(new_node):
    ana, kai = start(new_node("ana")), start(new_node("kai"))
    befriend(ana, kai)
    return ana, kai


def test_posts_arrive_on_both_sides(pair):
    ana, kai = pair
    ana.api().post("from ana")
    kai.api().post("from kai")
    # Each has a profile and a post, and knows those of the other.
    eventually(lambda: entries(ana) >= 4 and entries(kai) >= 4, "the exchange")


def test_what_was_written_before_the_meeting_is_caught_up(new_node):
    ana, kai = start(new_node("ana")), start(new_node("kai"))
    api = ana.api()
    notes = [{"k": "note", "text": f"entry {i}"} for i in range(1000)]
    api.write("post_many", entries=notes, to="network")
    befriend(ana, kai)
    eventually(lambda: entries(kai) >= 1001, "catching up")


def test_what_happened_while_one_was_away_is_caught_up(pair):
    ana, kai = pair
    kai.stop()
    for i in range(10):
        ana.api().post(f"while kai sleeps {i}")
    expected = entries(ana)
    start(kai)
    eventually(lambda: entries(kai) >= expected, "catching up")


def test_a_node_that_is_killed_while_it_catches_up_goes_on(new_node):
    ana, kai = start(new_node("ana")), start(new_node("kai"))
    for _ in range(4):
        notes = [{"k": "note", "text": f"{os.urandom(8).hex()} {i}"} for i in range(2000)]
        ana.api().write("post_many", entries=notes, to="network")
    ana.api().post("the last")
    befriend(ana, kai)
    for _ in range(5):
        kai.kill()
        start(kai)
    own = lambda node: node.api().call("status")["own_entries"]
    whole = lambda: own(ana) + own(kai)  # nothing missing, nothing doubled
    eventually(lambda: entries(ana) == entries(kai) == whole(), "catching up")
    assert whole() > 8000


def test_a_third_person_gets_a_log_from_somebody_who_carries_it(new_node):
    ana, kai, noor = (start(new_node(name)) for name in ("ana", "kai", "noor"))
    befriend(ana, kai)
    identity = ana.api().call("status")["identity"]
    ana.api().post("relayed")
    eventually(lambda: entries(kai) >= 3, "kai's copy")
    ana.stop()
    befriend(kai, noor)
    noor.api().write("relate", identity=identity, relation="follow", value=True)
    eventually(lambda: entries(noor) >= 4, "noor's copy")


def test_an_invite_is_good_for_its_first_bearer_only(new_node):
    ana, kai, eve = (start(new_node(name)) for name in ("ana", "kai", "eve"))
    ticket = befriend(ana, kai)
    eve.api().write("join", ticket=ticket)
    refused = lambda: [p for p in eve.api().call("peers")["peers"] if p["why"] not in ("", "ok")]
    eventually(refused, "the refusal")
    assert ana.api().call("status")["peers"] == 1


def test_a_mistyped_ticket_is_refused(node):
    with pytest.raises(ApiError) as error:
        node.api().write("join", ticket="aloud:AAAA")
    assert error.value.name == "ticket"


def test_nodes_of_different_networks_do_not_meet(new_node, tmp_path):
    ana, kai = start(new_node("ana")), new_node("kai")
    (tmp_path / "secret").write_bytes(os.urandom(32))
    (kai.home / "config").write_text(f"network = {tmp_path}/secret\n")
    start(kai, "--config", str(kai.home / "config"))
    ticket = ana.api().write("invite")["ticket"]
    with pytest.raises(ApiError) as error:
        kai.api().write("join", ticket=ticket)
    assert error.value.name == "network"


def test_a_host_that_went_away_is_found_again(pair):
    ana, kai = pair
    ana.kill()
    eventually(lambda: kai.api().call("status")["peers"] == 0, "the loss")
    start(ana)
    ana.api().post("I am back")
    expected = entries(ana)
    eventually(lambda: entries(kai) >= expected, "the return")


def test_the_port_opens_with_the_first_invite_and_after_it_at_each_start(node):
    def wants_port(status):
        return status["listening"] or status["listen_error"]  # another program may have it

    assert not wants_port(node.api().call("status"))
    try:
        node.api().write("invite")
    except ApiError as error:
        assert error.name == "address"
    eventually(lambda: wants_port(node.api().call("status")), "the port")
    node.stop()
    node.start()
    eventually(lambda: wants_port(node.api().call("status")), "the port")
