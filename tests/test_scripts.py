"""The scripts as a stranger runs them: in a clone of what is committed, with nothing installed and no arguments."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from page import block_of, run_block, run_shell
from throwaway import free_port

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
README = "../README.md"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    there = tmp_path_factory.mktemp("clone") / "ordre"
    subprocess.run(["git", "clone", "--quiet", ROOT, there], check=True)
    return there


@dataclass(frozen=True, slots=True)
class Started:
    """A running `script/server`, what it printed, and the lines to paste in it."""

    process: subprocess.Popen[str]
    folder: Path
    port: int
    printed: str

    @property
    def pasted(self) -> str:
        return "\n".join(line.strip() for line in self.printed.splitlines() if line.startswith("  "))

    def here(self, block: str) -> str:
        return block.replace("http://127.0.0.1:8080", f"http://127.0.0.1:{self.port}")


def start(clone: Path, port: int, **more: Any) -> subprocess.Popen[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("ORDRE_")}
    script = ["bash", "-c", block_of(README, "tests/test_scripts.py: start")]
    return subprocess.Popen(script, cwd=clone, env={**own, "ORDRE_PORT": str(port)}, stdout=subprocess.PIPE, text=True, **more)


def printed_by(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    lines: list[str] = []
    while not (lines and lines[-1].startswith("README.md goes on")):
        line = process.stdout.readline()
        assert line, "".join(lines)
        lines.append(line)
    return "".join(lines)


@pytest.fixture(scope="module")
def started(clone: Path) -> Iterator[Started]:
    port = free_port()
    with start(clone, port) as process:
        yield Started(process, clone, port, printed_by(process))
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def test_what_it_prints_can_be_pasted(started: Started) -> None:
    printed = run_shell(started.pasted, started.folder)
    assert len(json.loads(printed)["orders"]) == 2
    assert printed.endswith("}\n")


def test_a_wrong_secret_is_said_at_once(started: Started) -> None:
    wrong = re.sub(r"SECRET=\S+", "SECRET=wrong", started.pasted)
    assert "401" in run_shell(wrong, started.folder, status=22)
    said = run_shell("set +eo pipefail; " + wrong, started.folder, status=127)
    assert "no token: is the secret right?" in said
    assert "orders" not in said.partition("no token")[2]


def test_the_order_of_the_readme(started: Started) -> None:
    steps = [block_of(README, f"tests/test_scripts.py: {name}") for name in ("place", "pay", "refused", "close")]
    printed = run_shell("\n".join([started.pasted + " > /dev/null", *steps]), started.folder)
    placed, authorization, capture, refused, closed = map(json.loads, printed.splitlines())
    assert placed["order_id"].startswith("chairs-")
    assert (authorization["amount"], capture["amount"]) == (39800, 39800)
    assert refused["error"]["errors"][0]["code"] == "exceeds_remaining"
    assert (closed["status"], closed["payment_status"]) == ("closed", "paid")


def test_the_same_in_python(started: Started) -> None:
    program = started.folder / "order.py"
    program.write_text(started.here(block_of(README, "tests/test_scripts.py: python")), encoding="utf-8")
    printed = run_shell(f"{started.pasted} > /dev/null\n.venv/bin/python order.py", started.folder)
    assert printed == "refused: exceeds_remaining\nclosed paid\n"


def test_webhooks_are_listened_to(started: Started) -> None:
    listen = started.here(block_of(README, "tests/test_scripts.py: listen"))
    place = block_of(README, "tests/test_scripts.py: place")
    command = ["bash", "-c", f"{started.pasted} > /dev/null\n{listen.replace('.venv/bin/ordre', 'exec .venv/bin/ordre')}"]
    with subprocess.Popen(command, cwd=started.folder, stdout=subprocess.PIPE, text=True) as listening:
        assert listening.stdout is not None
        assert "ping" in listening.stdout.readline()
        assert listening.stdout.readline().startswith("listening at ")
        run_shell(f"{started.pasted} > /dev/null\n{place}", started.folder)
        assert "placed (version 1" in listening.stdout.readline()
        listening.send_signal(signal.SIGINT)
        assert listening.stdout.readline() == "unsubscribed\n"
        assert listening.wait(30) == 0


def test_the_examples_with_what_it_prints(started: Started) -> None:
    block = started.here(block_of("../examples/README.md", "tests/test_scripts.py: examples"))
    printed = run_shell(f"{started.pasted} > /dev/null\n{block}", started.folder).splitlines()
    assert [line for line in printed if line.startswith("closed")] == ["closed partially_refunded 39800"] * 2


def test_pythons_that_are_not_there_are_named(tmp_path: Path) -> None:
    names = [f"python3.{number}" for number in range(11, 15)]
    for name in names:
        (tmp_path / name).write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
        (tmp_path / name).chmod(0o700)
    done = subprocess.run(
        ["script/test", "--python", "all", "--fast"],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert (done.stdout + done.stderr).splitlines() == [f"passed over: there is no {name}" for name in names] + [
        "none of these Pythons is installed"
    ]


def test_a_taken_port_is_said(started: Started) -> None:
    again = start(started.folder, started.port, stderr=subprocess.PIPE)
    printed, said = again.communicate(timeout=60)
    assert again.returncode == 1
    assert f"port {started.port} of 127.0.0.1 is taken" in said
    assert printed == ""


def test_the_next_start_serves_the_same_demo(started: Started) -> None:
    port = free_port()
    with start(started.folder, port) as again:
        printed = printed_by(again)
        again.send_signal(signal.SIGTERM)
    assert re.findall(r"SECRET=\S+", printed) == re.findall(r"SECRET=\S+", started.printed)


def test_setup_does_nothing_the_second_time(started: Started) -> None:
    done = subprocess.run(["script/setup"], cwd=started.folder, check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_the_tests_say_how_they_are_run(started: Started) -> None:
    assert "script/test --fast" in run_shell("script/test --help", started.folder)


@pytest.mark.long
def test_the_install_of_the_page(clone: Path, tmp_path: Path) -> None:
    printed = run_block("start.md", "tests/test_scripts.py: install", clone, {"/opt/ordre": str(tmp_path / "ordre")})
    assert re.search(r"^\d+\.\d+\.\d+$", printed, flags=re.MULTILINE)
