from hypothesis import given
from hypothesis import strategies as st

from ordre.domain.merkle import GrowingRoot, Head, climbed, leaf, path, root

LEAVES = st.lists(st.text("abcdef0123456789", min_size=1, max_size=8), min_size=1, max_size=70)


@given(LEAVES, st.data())
def test_every_leaf_leads_to_the_root(leaves: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(leaves) - 1))
    steps = path(leaves, place)
    assert climbed(leaves[place], steps) == root(leaves)
    assert len(steps) <= len(leaves).bit_length()


@given(LEAVES, st.data())
def test_another_leaf_or_another_tree_has_another_root(leaves: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(leaves) - 1))
    changed = [*leaves]
    changed[place] += "x"
    assert root(changed) != root(leaves)
    assert climbed(changed[place], path(leaves, place)) != root(leaves)
    assert root([*leaves, "0"]) != root(leaves)


@given(LEAVES)
def test_a_root_grows_leaf_by_leaf(leaves: list[str]) -> None:
    growing = GrowingRoot()
    for number, one in enumerate(leaves, 1):
        growing.add(one)
        assert (growing.leaves, growing.root()) == (number, climbed(leaves[0], path(leaves[:number], 0)))


def test_leaves_say_whose_they_are() -> None:
    head = Head(order="o", version=1, hash="h")
    assert leaf("T1", head) != leaf("T2", head)
    assert leaf("T1", head) != leaf("T1", Head(order="o", version=2, hash="h"))
    assert root([]) == ""
