"""Finding a port to listen at."""

import socket

from mqttbridge.demo.ports import free_port, next_free_port


def test_the_wanted_port_is_taken_when_it_is_free():
    assert next_free_port(8080, lambda _port: True) == 8080


def test_the_next_free_port_is_taken_when_the_wanted_one_is_in_use():
    assert next_free_port(8080, lambda port: port > 8082) == 8083


def test_no_port_beyond_the_last_is_tried():
    assert next_free_port(65_535, lambda _port: False) != 65_536


def test_a_port_that_somebody_listens_at_is_not_free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]

        assert next_free_port(taken) != taken


def test_any_free_port_can_be_bound():
    with socket.create_server(("127.0.0.1", free_port())):
        pass
