"""What the log says of an answer that breaks off: a real server, with an application that fails in the middle of its answers."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from ordre import logs
from ordre.api.http.failures import failed
from ordre.api.http.middleware import Edge
from throwaway import free_port

pytestmark = pytest.mark.slow

START_SECONDS = 30.0
WHOLE = b"first, last"
PARTS = {"whole": 2, "fails-late": 2, "fails": 1, "stops": 1, "fails-early": 0}
"""Path -> how many of the two parts of its answer are sent before it ends or fails."""


async def answer(scope: Scope, _receive: Receive, send: Send) -> None:
    name = scope["ordre.operation"] = scope["path"].strip("/")
    if PARTS[name]:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(WHOLE))]})
    for part, more in ((WHOLE[:7], True), (WHOLE[7:], False))[: PARTS[name]]:
        await send({"type": "http.response.body", "body": part, "more_body": more})
    if name.startswith("fails"):
        raise ValueError(f"why it {name}")


def application() -> ASGIApp:
    logs.configure("info", "json")
    return Edge(answer, failed)


def asked(url: str, name: str) -> int | str:
    """The status of a whole answer, or what the client sees of one that is not."""
    try:
        found = httpx.get(f"{url}/{name}")
    except httpx.RemoteProtocolError as error:
        return str(error)
    assert found.content == WHOLE or found.status_code == 500
    return found.status_code


@pytest.fixture(scope="module")
def seen() -> tuple[dict[str, int | str], list[dict[str, Any]]]:
    """What the client sees of each path, and the lines that the server logs meanwhile."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "test_edge:application", "--factory", "--port", str(port), "--lifespan", "off"]
    command += ["--http", "ordre.api.http.connection:Connection", "--no-access-log"]
    tests = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": f"{tests}{os.pathsep}{tests.parent}"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + START_SECONDS
    try:
        while True:
            try:
                httpx.options(url)
                break
            except httpx.TransportError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
        answers = {name: asked(url, name) for name in PARTS}
    finally:
        process.terminate()
        _, log = process.communicate(timeout=30)
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return answers, [line for line in lines if line.get("method") != "OPTIONS"]


def test_a_client_sees_that_an_answer_broke_off(seen: tuple[dict[str, int | str], list[dict[str, Any]]]) -> None:
    answers, _ = seen
    assert (answers["whole"], answers["fails-late"], answers["fails-early"]) == (200, 200, 500)
    for name in ("fails", "stops"):
        assert "without sending complete message body" in str(answers[name])


def test_the_log_does_not_say_200_of_it(seen: tuple[dict[str, int | str], list[dict[str, Any]]]) -> None:
    _, lines = seen
    statuses = {line["operation"]: line["status"] for line in lines if line["event"] == "request"}
    assert statuses == {"whole": 200, "fails-late": 200, "fails": 500, "stops": 500, "fails-early": 500}


def test_every_failure_is_logged_with_its_reason(seen: tuple[dict[str, int | str], list[dict[str, Any]]]) -> None:
    _, lines = seen
    names = {line["id"]: line["operation"] for line in lines if line["event"] == "request"}
    reasons = {names[line["id"]]: line["exception"] for line in lines if "exception" in line and line.get("id") in names}
    assert set(reasons) == {"fails-late", "fails", "fails-early"}
    assert all(f"ValueError: why it {name}" in reason for name, reason in reasons.items())
