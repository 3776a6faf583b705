"""One hash over many orders, and the proof that an order is among them: a Merkle tree over the heads of their chains.

A leaf and a node are hashed apart, so that neither can be passed off as the other. A node without a neighbour moves up as it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

from ordre.domain.chain import digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of an order's chain: its version, and the hash of its last fact."""

    order: str
    version: int
    hash: str


def leaf(account_id: str, head: Head) -> str:
    """Return the hash that stands for an order in the tree of its account."""
    return digest("leaf", account_id, head.order, str(head.version), head.hash)


def root(leaves: Iterable[str]) -> str:
    """Return the hash over all leaves; of none, the empty text."""
    growing = GrowingRoot()
    for one in leaves:
        growing.add(one)
    return growing.root()


class GrowingRoot:
    """The root of leaves that come one after another: it holds one hash for each level, whatever their number."""

    def __init__(self) -> None:
        self.leaves = 0
        self._peaks: list[str] = []
        """Roots of whole trees, the largest first: one for each 1 in the number of leaves, written in binary."""

    def add(self, leaf: str) -> None:
        """Take one more leaf, the last so far."""
        self.leaves += 1
        found, merged = leaf, self.leaves
        while merged % 2 == 0:
            found, merged = _node(self._peaks.pop(), found), merged // 2
        self._peaks.append(found)

    def root(self) -> str:
        """Return the hash over the leaves so far; of none, the empty text."""
        return reduce(lambda right, left: _node(left, right), reversed(self._peaks)) if self._peaks else ""


def path(leaves: Sequence[str], place: int) -> list[tuple[str, str]]:
    """Return the proof of the leaf at this place: the hashes it meets on the way to the root, each with its side, leaf first."""
    found, level = [], list(leaves)
    while len(level) > 1:
        neighbour = place ^ 1
        if neighbour < len(level):
            found.append(("left" if neighbour < place else "right", level[neighbour]))
        level, place = _above(level), place // 2
    return found


def climbed(start: str, steps: Sequence[tuple[str, str]]) -> str:
    """Return the root that a leaf and its path lead to."""
    for side, other in steps:
        start = _node(other, start) if side == "left" else _node(start, other)
    return start


def _above(level: Sequence[str]) -> list[str]:
    pairs = [level[place : place + 2] for place in range(0, len(level), 2)]
    return [_node(*pair) if len(pair) == 2 else pair[0] for pair in pairs]  # noqa: PLR2004 - a pair


def _node(left: str, right: str) -> str:
    return digest("node", left, right)
