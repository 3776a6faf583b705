"""What one measurement found: how long requests took, and the CPU time of all who worked for them."""

from array import array
from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured in so many seconds: how long each request of a call took, and CPU seconds. None: not measured.

    ``sent`` is how many of each call were answered, also before and after these seconds.
    """

    seconds: float
    times: dict[str, "array[float]"] = field(default_factory=dict)
    sent: Counter[str] = field(default_factory=Counter)
    server_cpu: float | None = None
    database_cpu: float | None = None
    generator_cpu: float = 0.0
    machine_cpu: float | None = None

    @property
    def requests(self) -> int:
        """The number of requests that count."""
        return sum(map(len, self.times.values()))
