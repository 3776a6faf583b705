"""Why a benchmark cannot go on."""


class BenchFailed(Exception):  # noqa: N818 - it is named for the state it tells of
    """The benchmark cannot begin or go on: the server did not start, or a request was not answered as it should be."""
