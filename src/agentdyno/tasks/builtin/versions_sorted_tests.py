from solution import *


def test_numbers():
    assert versions_sorted([]) == []
    assert versions_sorted(["2", "1"]) == ["1", "2"]
    assert versions_sorted(["1.10", "1.9", "1.2"]) == ["1.2", "1.9", "1.10"]
    assert versions_sorted(["1.0.1", "1.1", "1.0"]) == ["1.0", "1.0.1", "1.1"]
    assert versions_sorted(["10", "9.9.9", "0.1"]) == ["0.1", "9.9.9", "10"]


def test_words():
    assert versions_sorted(["1.10", "1.9", "1.10-rc", "1.9.0"]) == ["1.9", "1.9.0", "1.10-rc", "1.10"]
    assert versions_sorted(["2.0", "2.0-beta", "2.0-alpha", "1.9"]) == ["1.9", "2.0-alpha", "2.0-beta", "2.0"]
    assert versions_sorted(["2-rc", "2.0-beta"]) == ["2.0-beta", "2-rc"]


def test_equal_versions_keep_their_order():
    assert versions_sorted(["1.0", "1", "1.0.0"]) == ["1.0", "1", "1.0.0"]
    assert versions_sorted(["1.0.0", "1", "0", "1.0"]) == ["0", "1.0.0", "1", "1.0"]
    assert versions_sorted(["3.0-a", "3-a", "0.0", "0"]) == ["0.0", "0", "3.0-a", "3-a"]


def test_input_is_left_alone():
    versions = ["2", "1"]
    versions_sorted(versions)
    assert versions == ["2", "1"]
