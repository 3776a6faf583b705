"""How the command speaks: whole lines, instants, what it changed, and one line when it is interrupted."""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import asyncpg
import pytest

from commands import ending, run, run_json
from ordre.cli.main import COMMANDS, app
from service import ORDRE
from throwaway import Cluster, unbound

pytestmark = pytest.mark.slow

SECONDS = 180
INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
ACCOUNT = "T12345678"


@pytest.fixture
def stored(tmp_path_factory: pytest.TempPathFactory) -> str:
    database = f"sqlite:///{tmp_path_factory.mktemp('command') / 'o.sqlite'}"
    run("migrate", database=database)
    return database


def test_names_are_printed_as_they_are_and_nothing_is_wrapped(stored: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    name = "[red]Møbler[/red] [link=x] :tada: " + "a very long name of a shop " * 4
    run("account", "create", ACCOUNT, "--name", name, database=stored)
    assert name.strip() in run("account", "list", database=stored)
    made = run_json("client", "create", ACCOUNT, "--name", name, "--scope", "admin:shopping", database=stored)
    listed = run("client", "list", ACCOUNT, database=stored).splitlines()
    assert len(listed) == 2
    assert all(part in listed[1] for part in (name.strip(), made["client_id"], "admin:shopping"))
    refused = run("client", "rotate", ACCOUNT, name, database=stored, status=1)
    assert refused == f"ordre: The account {ACCOUNT} has no client {name}\n"
    unknown = run("serve", "--prot", "1" * 100, status=2)
    assert unknown.startswith("ordre: ")
    assert "Did you mean --port?" in unknown
    assert unknown.count("\n") == 1


def test_every_command_that_changes_something_says_so(stored: str) -> None:
    run("account", "create", ACCOUNT, "--name", "Møbler", database=stored)
    client = run_json("client", "create", ACCOUNT, "--name", "Till", "--scope", "admin:shopping", database=stored)["client_id"]
    said = {
        word: run("account", word, ACCOUNT, database=stored) + run("client", word, ACCOUNT, client, database=stored)
        for word in ("disable", "enable")
    }
    assert said == {
        "disable": f"account {ACCOUNT} (Møbler) is disabled\nclient {client} (Till) of {ACCOUNT} is disabled\n",
        "enable": f"account {ACCOUNT} (Møbler) is enabled\nclient {client} (Till) of {ACCOUNT} is enabled\n",
    }
    assert run_json("client", "disable", ACCOUNT, client, database=stored)["client_id"] == client


def test_instants_are_instants(stored: str) -> None:
    run("account", "create", ACCOUNT, "--name", "Shop", database=stored)
    client = run_json("client", "create", ACCOUNT, "--name", "Till", "--scope", "admin:shopping", database=stored)["client_id"]
    run("client", "disable", ACCOUNT, client, database=stored)
    run("account", "disable", ACCOUNT, database=stored)
    run("key", "rotate", database=stored)
    run("key", "rotate", database=stored)
    for command in (("account", "list"), ("client", "list", ACCOUNT), ("key", "list")):
        rows = run_json(*command, database=stored)
        instants = [value for row in rows for name, value in row.items() if name.endswith("_at") and value is not None]
        assert instants
        assert all(re.fullmatch(INSTANT, one) for one in instants)
        assert all(one in run(*command, database=stored) for one in instants)


def test_memory_is_for_the_server_only() -> None:
    assert "is for `ordre serve` only" in run("account", "list", "--database", "memory:", status=1)


def test_a_misspelt_variable_is_named_by_every_command(stored: str) -> None:
    environment = {**os.environ, "ORDRE_DATABASE": stored, "ORDRE_DATABSE": "x"}
    done = subprocess.run([ORDRE, "key", "list"], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == "ordre: ORDRE_DATABSE is not a setting; did you mean ORDRE_DATABASE?\n"


@contextmanager
def locked(database: str, table: str) -> Iterator[Callable[[], None]]:
    """Keep everybody else from a table; yield what returns once somebody waits for it."""

    async def connected() -> asyncpg.Connection:
        connection = await asyncpg.connect(unbound(database))
        await connection.execute(f"begin; lock table {table} in access exclusive mode")
        return connection

    def awaited() -> None:
        waiting = (
            "select count(*) from pg_locks where not granted and database = (select oid from pg_database where datname = $1)"
        )
        deadline, name = time.monotonic() + SECONDS, database.rpartition("/")[2]
        while loop.run_until_complete(connection.fetchval(waiting, name)) == 0:
            assert time.monotonic() < deadline, "nobody waits"

    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(connected())
    try:
        yield awaited
    finally:
        loop.run_until_complete(connection.close())
        loop.close()


def interrupted(database: str | None, *command: str, once: Callable[[], object]) -> tuple[int, str]:
    """Start a command, and then press Ctrl-C, which reaches all of its processes; return how it ends and what it says."""
    environment = {**os.environ, **({"ORDRE_DATABASE": database} if database else {})}
    started = subprocess.Popen(
        [ORDRE, *command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    with ending(started) as process:
        once()
        os.killpg(process.pid, signal.SIGINT)
        out, error = process.communicate(timeout=SECONDS)
    return process.returncode, out + error


@pytest.fixture
def demo_database(cluster: Cluster) -> str:
    database = cluster.database()
    run("migrate", database=database)
    run("demo", database=database)
    return database


@pytest.mark.long
@pytest.mark.parametrize(
    ("command", "table"),
    [
        (("demo",), "orders"),
        (("verify",), "orders"),
        (("verify", "--processes", "2"), "facts"),
        (("erase", "T00000001", "--email", "ada@example.com"), "orders"),
        (("migrate",), "schema_migrations"),
        (("account", "list"), "accounts"),
    ],
)
def test_ctrl_c_is_one_line(demo_database: str, command: tuple[str, ...], table: str) -> None:
    with locked(demo_database, table) as awaited:
        assert interrupted(demo_database, *command, once=awaited) == (130, "ordre: interrupted\n")


def test_ctrl_c_ends_checks_of_a_server_that_does_not_answer() -> None:
    with ExitStack() as ends:
        silent = ends.enter_context(socket.socket())
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        command = ("conformance", url, "--account", ACCOUNT, "--client-id", "x", "--client-secret", "y")
        assert interrupted(None, *command, once=lambda: ends.enter_context(silent.accept()[0])) == (130, "ordre: interrupted\n")


def test_ctrl_c_while_it_is_loaded_leaves_no_traceback() -> None:
    script = (
        "import sys\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'ordre.cli.main':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "from ordre.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (130, "")


@pytest.mark.parametrize(
    ("command", "needless"),
    [
        (("--version",), {"ordre.domain", "ordre.api", "ordre.db", "ordre.settings"}),
        (("account", "list"), {"ordre.api.routes", "ordre.served", "ordre.cli.serve", "asyncpg"}),
        (("bench", "--help"), {"ordre.bench.run", "ordre.bench.page", "ordre.api.routes", "ordre.db", "asyncpg", "httptools"}),
        (("serve", "--help"), {"ordre.api.routes", "ordre.served", "ordre.server", "ordre.db"}),
    ],
)
def test_a_command_loads_nothing_of_what_others_need(
    command: tuple[str, ...], needless: set[str], stored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDRE_DATABASE", stored)
    script = "import atexit, sys\natexit.register(lambda: print(*sys.modules))\nfrom ordre.__main__ import main\nmain()\n"
    done = subprocess.run([sys.executable, "-c", script, *command], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "ordre.cli.main" in loaded
    assert loaded & {*needless, "starlette", "uvicorn", "joserfc"} == set()


def test_help_says_what_each_command_does() -> None:
    listed = run("--help")
    commands = [name for name in app.resolved_commands() if not name.startswith("-")]
    assert len(commands) > len(COMMANDS)
    assert [name for name in commands if not re.search(rf"^│ {name} +[A-Z]\w+", listed, flags=re.MULTILINE)] == []


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["acc"], {"account"}),
        (["account", "dis"], {"disable"}),
        (["serve", "--log-f"], {"--log-format"}),
        (["serve", "--e"], {"--ephemeral"}),
        (["completion", ""], {"bash", "zsh", "fish"}),
    ],
)
def test_bash_completes_commands_and_flags(words: list[str], completed: set[str]) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    line = " ".join(["ordre", *words])
    quoted = " ".join(f"'{word}'" for word in words)
    script = (
        f"{run('completion', 'bash')}\nCOMP_WORDS=(ordre {quoted}); COMP_CWORD={len(words)}; COMP_LINE='{line}'\n"
        f'COMP_POINT={len(line)}; _ordre; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run([bash, "-c", script], capture_output=True, text=True, check=True)
    assert {one.strip() for one in done.stdout.split()} == completed


@pytest.mark.parametrize(
    ("shell", "sign"), [("bash", "complete -F _ordre ordre"), ("zsh", "#compdef ordre"), ("fish", "complete -c ordre")]
)
def test_a_script_for_each_shell(shell: str, sign: str) -> None:
    script = run("completion", shell)
    assert sign in script
    commands = ("account", "client", "serve", "verify", "settings")
    assert all(command in script for command in commands)


def test_the_script_is_put_where_the_shell_finds_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")
    environment = {**os.environ, "HOME": str(home), "SHELL": "/bin/bash"}
    subprocess.run([ORDRE, "--install-completion", "--shell", "bash"], env=environment, capture_output=True, check=True)
    assert (home / ".local/share/bash-completion/completions/ordre").read_text() == run("completion", "bash")
