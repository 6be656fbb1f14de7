from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from agentdyno.experiment.cell import Cell, blocks

cells = st.lists(st.integers(1, 50), min_size=1, max_size=8, unique=True).map(
    lambda numbers: [Cell("python", number, "cold", "steady") for number in numbers]
)


@given(cells, st.integers(1, 5), st.integers(0, 2**32))
def test_every_block_runs_every_cell_once(cells: list[Cell], repeats: int, seed: int) -> None:
    plan = list(blocks(cells, repeats, seed))
    assert Counter(plan) == Counter((block, cell) for block in range(1, repeats + 1) for cell in cells)
    assert [block for block, _ in plan] == sorted(block for block, _ in plan)


@given(cells, st.integers(0, 2**32))
def test_the_order_depends_on_the_seed_alone(cells: list[Cell], seed: int) -> None:
    assert list(blocks(cells, 3, seed)) == list(blocks(cells, 3, seed))


def test_another_seed_gives_another_order() -> None:
    eight = [Cell("python", number, "cold", "steady") for number in range(1, 9)]
    assert len({tuple(blocks(eight, 1, seed)) for seed in range(10)}) == 10


def test_a_label_serves_as_a_folder_name() -> None:
    assert Cell("cpp", 100, "null", "mine:ttft=1s,itl=2ms").label == "cpp-100-null-mine-ttft-1s-itl-2ms"


def test_a_label_of_a_long_path_is_not_too_long_for_a_folder_name() -> None:
    label = Cell("cpp", 100, "null", "/über/" + "long/" * 100 + "mine.toml").label
    assert label.endswith("-long-mine.toml")
    assert len(label.encode()) < 100
