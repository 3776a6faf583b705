"""One table of settings: read from the environment and from flags, and refused in a sentence."""

import pytest

from ordre.settings import BadSetting, Settings, environment_of, settings_from


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
        ({"ORDRE_PORT": "many"}, "ORDRE_PORT is 'many'"),
        ({"ORDRE_PORT": "-1"}, "between 0 and 65535"),
        ({"ORDRE_PORT": "65536"}, "between 0 and 65535"),
        ({"ORDRE_WORKERS": "0"}, "more than 0"),
        ({"ORDRE_REQUEST_SECONDS": "0"}, "more than 0"),
        ({"ORDRE_TIDY_SECONDS": "-1"}, "0 or more"),
        ({"ORDRE_LOG_LEVEL": "loud"}, "one of debug, info"),
        ({"ORDRE_DATABASE": "mysql://x"}, "sqlite:///path or postgresql://"),
        ({"ORDRE_CLOCK": "2026-01-01T00:00:00Z"}, "in memory alone"),
        ({"ORDRE_DATABASE": "memory:", "ORDRE_WORKERS": "2"}, "one process"),
        ({"ORDRE_DATABASE": "memory:", "ORDRE_CLOCK": "noon"}, "an instant such as"),
    ],
)
def test_a_value_that_does_not_fit_is_said(environment: dict[str, str], said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        settings_from(environment)
