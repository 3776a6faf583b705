"""Runs the checks, and writes their results as JUnit XML."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import httpx

from ordre.conformance.api import Api, Check, Fault
from ordre.conformance.checks import CHECKS
from ordre.conformance.extras import EXTRAS
from ordre.conformance.table import Evidence, rows

TIMEOUT_SECONDS = 30.0
_MOST_SAID = 200
"""Characters of an answer that is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of a check; without faults where the server does as the table says."""

    check: Check
    faults: Sequence[Fault]
    seconds: float

    @property
    def broken(self) -> list[str]:
        """The classes of evidence that the server does not do as, the firmest first; `own` where it is Ordre's own."""
        broken = {fault.evidence for fault in self.faults}
        return [_named(evidence) for evidence in Evidence if evidence in broken]

    @property
    def text(self) -> str:
        """The deviations, each with its class of evidence; or that there is none."""
        return "; ".join(f"{_named(fault.evidence)}: {fault.text}" for fault in self.faults) or "as it should be"


def checks(*, extras: bool, level: Evidence = Evidence.INFERRED) -> Sequence[Check]:
    """Return the checks up to a level of evidence; with ``extras`` also those of what differs or is extra."""
    known = [check for check in CHECKS if check.evidence.counts_at(level)]
    return (*known, *EXTRAS) if extras else known


def run(api: Api, wanted: Iterable[Check]) -> Iterator[Result]:
    """Yield the result of each check as it ends."""
    for check in wanted:
        started = time.perf_counter()
        api.faults = []
        with api.known_as(check.evidence):
            check.run(api)
        yield Result(check=check, faults=api.faults, seconds=time.perf_counter() - started)


def fault_of_address(url: str, account: str, client_id: str, client_secret: str) -> str | None:
    """Return why nothing can be checked: no API at the URL, or none that knows the client; None where checks can begin."""
    try:
        with httpx.Client(timeout=TIMEOUT_SECONDS) as http:
            answer = Api(http, url, account, client_id, client_secret).token()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"cannot reach {url}: {str(error) or type(error).__name__}"
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        return f"the server at {url} does not know this client of {account}: are the account, the id and the secret right?"
    if answer.is_success and '"access_token"' in answer.text:
        return None
    said = " ".join(answer.text[:_MOST_SAID].split())
    return f"asked for a token, the server at {url} answers {answer.status_code}: {said or 'nothing'}"


def against(
    url: str, account: str, client_id: str, client_secret: str, wanted: Iterable[Check], level: Evidence = Evidence.INFERRED
) -> Iterator[Result]:
    """Yield the result of each check on an account of the server at this address."""
    with httpx.Client(timeout=TIMEOUT_SECONDS) as http:
        yield from run(Api(http, url, account, client_id, client_secret, level), wanted)


def fields_of(result: Result, level: Evidence = Evidence.INFERRED) -> dict[str, Any]:
    """Return a result as it is printed."""
    return {
        "check": result.check.name,
        "of": result.check.verdict.value,
        "evidence": evidence_of(result.check, level),
        "broke": result.broken,
        "result": result.text,
        "ms": round(result.seconds * 1000),
    }


def evidence_of(check: Check, level: Evidence = Evidence.INFERRED) -> list[str]:
    """Return the evidence, up to a level, for the rows that a check covers, the firmest first."""
    named = {row.evidence for row in rows() if row.name in check.covers}
    return [evidence.value for evidence in Evidence if evidence in named and evidence and evidence.counts_at(level)]


def summary(results: Sequence[Result]) -> str:
    """Return the number of failed checks, in all and on each class of evidence."""
    failed = [result for result in results if result.faults]
    text = f"{len(results)} {'check' if len(results) == 1 else 'checks'}, {len(failed)} failed"
    classes = [_named(evidence) for evidence in Evidence]
    broken = {name: sum(name in result.broken for result in failed) for name in classes}
    told = ", ".join(f"{number} on what is {name}" for name, number in broken.items() if number)
    return f"{text}: {told}" if told else text


def junit(results: Sequence[Result], url: str) -> str:
    """Return the results as JUnit XML. The type of a failure names the classes of evidence that it broke."""
    failures = str(sum(bool(result.faults) for result in results))
    seconds = f"{sum(result.seconds for result in results):.3f}"
    counts = {"tests": str(len(results)), "failures": failures, "errors": "0", "time": seconds}
    suites = Element("testsuites", counts)
    suite = SubElement(suites, "testsuite", {"name": f"conformance of {url}", **counts})
    for result in results:
        named = {"classname": f"conformance.{result.check.verdict}", "name": result.check.name, "time": f"{result.seconds:.3f}"}
        case = SubElement(suite, "testcase", named)
        if result.faults:
            broken = {"type": " ".join(result.broken), "message": result.text}
            SubElement(case, "failure", broken).text = "\n".join(f"{_named(one.evidence)}: {one.text}" for one in result.faults)
        SubElement(case, "system-out").text = "\n".join(result.check.covers)
    indent(suites)
    return tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _named(evidence: Evidence) -> str:
    return evidence.value or "own"
