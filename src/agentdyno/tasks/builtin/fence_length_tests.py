from solution import *


def check(candidate):
    assert candidate([]) == 0
    assert candidate(["", "..."]) == 0
    assert candidate(["#"]) == 4
    assert candidate(["##", "##"]) == 8
    assert candidate(["#.#"]) == 8
    assert candidate(["#.", ".#"]) == 8
    assert candidate(["###", "#.#", "###"]) == 12
    assert candidate(["###", "#..", "###"]) == 16
    assert candidate(["###", "#", "###"]) == 16
    assert candidate([".#.", "#.#", ".#."]) == 12
    assert candidate(["#####", "#...#", "#.#.#", "#...#", "#####"]) == 20
    assert candidate(["#####", "#...#", "#.#..", "#...#", "#####"]) == 20 + 12 + 4
    assert candidate(["..#", "###"]) == 10
    assert candidate(["#", "", "", "#"]) == 8
    assert candidate(["....", ".###", "....", "...#"]) == 12


def test_fence_length():
    check(fence_length)
