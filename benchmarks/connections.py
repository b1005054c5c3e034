"""A connection to a service of another process, and what is sent over it."""

import http.client
import json
import socket
import time
from typing import Any


def connect(port: int) -> http.client.HTTPConnection:
    """Connect to this machine, once somebody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for attempt in range(100):
        try:
            connection.connect()
        except ConnectionRefusedError:
            time.sleep(0.05 * (attempt < 99))
        else:
            break
    assert connection.sock is not None
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def wait_until_verified(connection: http.client.HTTPConnection) -> None:
    """Let a service go through its models first: that is done once a start."""
    while True:
        connection.request("GET", "/health/ready")
        if not json.loads(connection.getresponse().read())["unverified"]:
            return
        time.sleep(0.05)


def call_often(connection: http.client.HTTPConnection, body: Any, number: int) -> None:
    """Ask for the same forecast so many times."""
    content = json.dumps(body)
    for _ in range(number):
        connection.request("POST", "/forecast", content, {"content-type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
