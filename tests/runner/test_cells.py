from collections import Counter
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from agentdyno.rundata.cell import AA_CONTROL, CONTROLS, DRIFT_CHECK, UNSAMPLED, Cell
from agentdyno.runner.plan import blocks, with_controls

cells = st.lists(st.integers(1, 50), min_size=1, max_size=8, unique=True).map(
    lambda numbers: [Cell("python", number, "cold", "steady") for number in numbers]
)


def first(count: int, cells: list[Cell], seed: int) -> list[list[Cell]]:
    return list(islice(blocks(cells, seed), count))


@given(cells, st.integers(1, 5), st.integers(0, 2**32))
def test_every_block_runs_every_cell_once(cells: list[Cell], count: int, seed: int) -> None:
    found = first(count, cells, seed)
    assert len(found) == count
    assert all(Counter(block) == Counter(cells) for block in found)


@given(cells, st.integers(0, 2**32), st.integers(1, 3))
def test_the_order_depends_on_the_seed_alone(cells: list[Cell], seed: int, count: int) -> None:
    assert first(3, cells, seed)[:count] == first(count, cells, seed)


def test_another_seed_and_another_block_give_another_order() -> None:
    eight = [Cell("python", number, "cold", "steady") for number in range(1, 9)]
    orders = [tuple(block) for seed in range(5) for block in first(2, eight, seed)]
    assert len(set(orders)) == 10


def test_controls_are_of_the_first_cell_and_the_drift_check_is_in_no_block() -> None:
    python, go = Cell("python", 2, "cold", "steady"), Cell("go", 2, "cold", "steady")
    assert with_controls([python, go], []) == [python, go]
    assert with_controls([python, go], [AA_CONTROL, DRIFT_CHECK, UNSAMPLED]) == [
        python,
        go,
        Cell("python", 2, "cold", "steady", AA_CONTROL),
        Cell("python", 2, "cold", "steady", UNSAMPLED),
    ]


def test_a_label_names_the_control_as_in_all_results_so_far() -> None:
    labels = [Cell("cpp", 100, "null", "steady", control).label for control in CONTROLS.values()]
    assert labels == [f"cpp-100-null-steady-{name}" for name in ("twin", "sentinel", "unsampled")]


def test_a_label_serves_as_a_folder_name() -> None:
    assert Cell("cpp", 100, "null", "mine:ttft=1s,itl=2ms").label == "cpp-100-null-mine-ttft-1s-itl-2ms"


def test_a_label_of_a_long_path_is_not_too_long_for_a_folder_name() -> None:
    label = Cell("cpp", 100, "null", "/über/" + "long/" * 100 + "mine.toml").label
    assert label.endswith("-long-mine.toml")
    assert len(label.encode()) < 100
