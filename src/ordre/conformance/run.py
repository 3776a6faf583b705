"""Runs the checks, and writes what became of them as JUnit XML."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import httpx

from ordre.conformance.api import Api, Check, NotConformingError
from ordre.conformance.checks import CHECKS
from ordre.conformance.extras import EXTRAS
from ordre.conformance.table import Evidence, rows

TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a check; ``fault`` is empty where the server does as the table says."""

    check: Check
    fault: str
    seconds: float


def checks(*, extras: bool) -> Sequence[Check]:
    """Return what is asked of a server: what the original has, and with ``extras`` what differs and what is extra."""
    return (*CHECKS, *EXTRAS) if extras else CHECKS


def run(api: Api, wanted: Iterable[Check]) -> Iterator[Result]:
    """Yield what becomes of each check as it ends."""
    for check in wanted:
        started, fault = time.perf_counter(), ""
        try:
            check.run(api)
        except NotConformingError as error:
            fault = str(error)
        except (httpx.HTTPError, KeyError, ValueError, TypeError, LookupError) as error:
            fault = f"{type(error).__name__}: {error}"
        yield Result(check=check, fault=fault, seconds=time.perf_counter() - started)


def against(url: str, account: str, client_id: str, client_secret: str, wanted: Iterable[Check]) -> Iterator[Result]:
    """Yield what becomes of each check on an account of the server at this address."""
    with httpx.Client(timeout=TIMEOUT_SECONDS) as http:
        yield from run(Api(http, url, account, client_id, client_secret), wanted)


def fields_of(result: Result) -> dict[str, Any]:
    """Return a result as it is printed."""
    return {
        "check": result.check.name,
        "of": result.check.verdict.value,
        "evidence": evidence_of(result.check),
        "result": result.fault or "as it should be",
        "ms": round(result.seconds * 1000),
    }


def evidence_of(check: Check) -> list[str]:
    """Return what is known of the original for the rows that a check is about, the firmest first."""
    named = {row.evidence for row in rows() if row.name in check.covers}
    return [evidence.value for evidence in Evidence if evidence in named and evidence]


def junit(results: Sequence[Result], url: str) -> str:
    """Return the results as JUnit XML."""
    failures = str(sum(bool(result.fault) for result in results))
    seconds = f"{sum(result.seconds for result in results):.3f}"
    counts = {"tests": str(len(results)), "failures": failures, "errors": "0", "time": seconds}
    suites = Element("testsuites", counts)
    suite = SubElement(suites, "testsuite", {"name": f"conformance of {url}", **counts})
    for result in results:
        named = {"classname": f"conformance.{result.check.verdict}", "name": result.check.name, "time": f"{result.seconds:.3f}"}
        case = SubElement(suite, "testcase", named)
        if result.fault:
            SubElement(case, "failure", {"message": result.fault})
        SubElement(case, "system-out").text = "\n".join(result.check.covers)
    indent(suites)
    return tostring(suites, encoding="unicode", xml_declaration=True) + "\n"
