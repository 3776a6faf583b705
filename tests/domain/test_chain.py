from dataclasses import replace
from typing import Any

import pytest

from ordre.domain.chain import START, Link, digest, linked

LINK = Link(account_id="T00000001", order="o", version=1, type="placed", at=5, actor="c", digest="d")


def test_a_digest_is_salted_and_knows_where_its_parts_end() -> None:
    assert digest("s", "ab", "c") != digest("s", "a", "bc")
    assert digest("s", "ab") != digest("t", "ab")
    assert digest("s", "ab") == digest("s", "ab")
    assert digest("", "æ") != digest("", "ae")


@pytest.mark.parametrize(
    "changed",
    [
        {"account_id": "T00000002"},
        {"order": "p"},
        {"version": 2},
        {"type": "closed"},
        {"at": 6},
        {"actor": "e"},
        {"digest": "f"},
    ],
)
def test_everything_about_a_fact_is_in_its_hash(changed: dict[str, Any]) -> None:
    assert linked(START, replace(LINK, **changed)) != linked(START, LINK)


def test_a_hash_follows_the_one_before() -> None:
    assert linked("x", LINK) != linked(START, LINK)
