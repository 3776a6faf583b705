"""One table of settings: read from the environment and from flags, and refused in a sentence."""

import json
import os
import re
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from ordre.cli.options import Flags
from ordre.settings import (
    OTHER_VARIABLES,
    BadSetting,
    Settings,
    described,
    environment_of,
    rule_of,
    settings_from,
    unknown_variables,
    variable_of,
)
from service import ORDRE

ROOT = Path(__file__).parents[1]


def test_a_flag_goes_before_the_environment_before_the_default() -> None:
    environment = {"ORDRE_PORT": "9000", "ORDRE_HOST": "0.0.0.0", "ORDRE_REQUEST_SECONDS": "2.5", "OTHER": "x"}  # noqa: S104 - only text
    read = settings_from(environment, port=9001, database=None)
    assert (read.port, read.host, read.request_seconds) == (9001, "0.0.0.0", 2.5)  # noqa: S104 - as above
    assert read.database == Settings().database


def test_another_process_gets_the_same_settings() -> None:
    settings = Settings(port=1234, max_lines=7, request_seconds=0.5, database="postgresql://x@y/z")
    assert settings_from(environment_of(settings)) == settings


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"ORDRE_PORT": "many"}, "ORDRE_PORT is 'many'; it must be a whole number"),
        ({"ORDRE_PORT": "-1"}, "ORDRE_PORT is -1; it must be between 0 and 65535"),
        ({"ORDRE_PORT": "65536"}, "between 0 and 65535"),
        ({"ORDRE_WORKERS": "0"}, "1 or more"),
        ({"ORDRE_REQUEST_SECONDS": "0"}, "0.01 or more"),
        ({"ORDRE_REQUEST_SECONDS": "nan"}, "0.01 or more"),
        ({"ORDRE_TIDY_SECONDS": "-1"}, "0 or more"),
        ({"ORDRE_TIDY_SECONDS": "soon"}, "must be a number"),
        ({"ORDRE_LOG_LEVEL": "loud"}, "one of debug, info"),
        ({"ORDRE_LOG_FORMAT": "xml"}, "one of auto, json, text"),
        ({"ORDRE_DATABASE": "mysql://x"}, "sqlite:///path or postgresql://"),
        (
            {"ORDRE_DATABASE": "postgresql://x@y:fifty/z"},
            "ORDRE_DATABASE is not valid; it must be sqlite:///path or postgresql://",
        ),
        ({"ORDRE_DATABASE": "postgresql://x@y:65536/z"}, "its port a number"),
        ({"ORDRE_DATABASE": "postgresql://x@y:1,z:two/z"}, "its port a number"),
        ({"ORDRE_DATABASE": "postgresql:///z?host=y&port=two"}, "its port a number"),
        ({"ORDRE_DATABASE": "postgresql://x:pass/word@y/z"}, "its password quoted, as `%40` for `@`"),
        ({"ORDRE_DATABASE": "postgresql://x@[::1/z"}, "must be sqlite:///path or postgresql://"),
        ({"ORDRE_UNSAFE_STORAGE": "yes"}, "one of refuse, allow"),
        ({"ORDRE_CLOCK": "2026-01-01T00:00:00Z"}, r"--clock \(ORDRE_CLOCK\) goes with a server in memory only"),
        ({"ORDRE_DATABASE": "memory:", "ORDRE_WORKERS": "2"}, r"one process: --workers \(ORDRE_WORKERS\) must be 1"),
        (
            {"ORDRE_SECRET_KEY": "x" * 32, "ORDRE_SECRET_KEY_FILE": "x"},
            "ORDRE_SECRET_KEY and ORDRE_SECRET_KEY_FILE are both set",
        ),
        ({"ORDRE_DATABASE": "memory:", "ORDRE_CLOCK": "noon"}, "an instant such as"),
    ],
)
def test_a_value_that_does_not_fit_is_said(environment: dict[str, str], said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        settings_from(environment)


def test_a_flag_that_does_not_fit_is_named_as_the_flag() -> None:
    with pytest.raises(BadSetting, match=r"^--port is 65536; it must be between 0 and 65535$"):
        settings_from({"ORDRE_PORT": "1"}, port=65_536)


def test_an_empty_variable_is_not_set() -> None:
    assert settings_from({"ORDRE_PORT": "", "ORDRE_DATABASE": ""}) == Settings()


def test_a_database_that_does_not_fit_is_not_repeated_for_its_password() -> None:
    with pytest.raises(BadSetting) as caught:
        settings_from({"ORDRE_DATABASE": "postgres:/u:geheim@h/n"})
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "printed"),
    [
        ("sqlite:///a@b:c", "sqlite:///a@b:c"),
        ("postgresql://u@h:1/n", "postgresql://u@h:1/n"),
        ("postgresql://h:1/n", "postgresql://h:1/n"),
        ("postgresql://u:geheim@h:1/n", "postgresql://u:***@h:1/n"),
        ("postgres://u:geheim@/:geheim#?@h/n", "postgres://u:***@h/n"),
        ("postgresql://h/n?user=u&password=geheim&ssl=on", "postgresql://h/n?user=u&password=***&ssl=on"),
    ],
)
def test_what_is_in_effect_is_printed_without_passwords(url: str, printed: str) -> None:
    rows = described({"ORDRE_DATABASE": url, "ORDRE_PORT": "9000"}, {"port": 9001, "host": None})
    found = {row["setting"]: (row["value"], row["from"]) for row in rows}
    assert found["ORDRE_DATABASE"] == (printed, "ORDRE_DATABASE")
    assert found["ORDRE_PORT"] == ("9001", "--port")
    assert found["ORDRE_HOST"] == ("127.0.0.1", "default")
    assert len(found) == len(fields(Settings))


def test_a_misspelt_variable_is_named_with_the_one_that_was_meant() -> None:
    environment = ["ORDRE_DATABSE", "ORDRE_PORT", "ORDRE_WHATEVER_THIS_IS", "ORDRE_CLIENT_ID", "PATH"]
    assert list(unknown_variables(environment)) == [
        "ORDRE_DATABSE is not a setting; did you mean ORDRE_DATABASE?",
        "ORDRE_WHATEVER_THIS_IS is not a setting; see docs/settings.md",
    ]


def test_every_variable_of_the_pages_and_the_code_is_known() -> None:
    known = {variable_of(one.name) for one in fields(Settings)} | OTHER_VARIABLES
    pages = [
        ROOT / "README.md",
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "src").rglob("*.py"),
        *(one for one in (ROOT / "examples").rglob("*.*") if one.suffix != ".pyc"),
    ]
    for page in pages:
        for name in re.findall(r"ORDRE_[A-Z]+(?:_[A-Z]+)*\b", page.read_text(encoding="utf-8")):
            assert name in known, f"{page.name}: {name}"


def test_the_page_names_the_variables_that_others_read() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert [name for name in sorted(OTHER_VARIABLES) if f"`{name}`" not in page] == []


def test_no_text_is_said_to_be_a_number() -> None:
    texts = [one.name for one in fields(Settings) if isinstance(one.default, str)]
    assert [name for name in texts if "or more" in rule_of(name).allowed] == []


def test_the_flags_of_serve_are_those_that_the_rows_name() -> None:
    assert {one.name for one in fields(Flags)} == {one.name for one in fields(Settings) if rule_of(one.name).flag}


def test_the_command_prints_them() -> None:
    environment = {**os.environ, "ORDRE_DATABASE": "postgresql://u:geheim@h/n", "ORDRE_PROT": "1"}
    command = [ORDRE, "settings", "--workers", "3"]
    done = subprocess.run([*command, "--json"], env=environment, capture_output=True, text=True, check=True)
    found = {row["setting"]: (row["value"], row["from"]) for row in json.loads(done.stdout)}
    assert found["ORDRE_DATABASE"] == ("postgresql://u:***@h/n", "ORDRE_DATABASE")
    assert found["ORDRE_WORKERS"] == ("3", "--workers")
    assert done.stderr == "ordre: ORDRE_PROT is not a setting; did you mean ORDRE_PORT?\n"
    plain = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert re.search(r"^ORDRE_WORKERS +3 +--workers$", plain, flags=re.MULTILINE)
    assert "geheim" not in done.stdout + plain
