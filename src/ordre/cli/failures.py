"""Failures that end a command in a sentence."""

from ordre.api.wire.exports import NoParquet
from ordre.application.troubles import StoreUnavailable
from ordre.backup.file import BadBackup
from ordre.bench.failures import BenchFailed
from ordre.domain.refusals import Refused
from ordre.kept import BadKept
from ordre.settings import BadSetting


def sentences_of(error: Exception) -> list[str]:
    """Return the sentences for a failure: one for each refusal; none where the failure is a fault of Ordre."""
    match error:
        case Refused():
            return [refusal.message for refusal in error.refusals]
        case StoreUnavailable() | BadSetting() | BadBackup() | BadKept() | BenchFailed() | NoParquet():
            return [str(error)]
        case _:
            return []
