from solution import *


def test_expand():
    assert expand_ranges("") == []
    assert expand_ranges("4") == [4]
    assert expand_ranges("0-2,10,12-13") == [0, 1, 2, 10, 12, 13]


def test_compress():
    assert compress_ranges([]) == ""
    assert compress_ranges([6]) == "6"
    assert compress_ranges([7, 8]) == "7,8"
    assert compress_ranges([7, 8, 9]) == "7-9"
    assert compress_ranges([1, 3, 5]) == "1,3,5"
    assert compress_ranges([0, 1, 2, 4, 5, 9, 10, 11, 12]) == "0-2,4,5,9-12"


def test_any_order_and_repeats():
    assert compress_ranges([9, 4, 3, 5, 4]) == "3-5,9"
    assert compress_ranges([11, 10, 9, 9, 2]) == "2,9-11"


def test_there_and_back():
    for step in range(1, 5):
        pages = [page for page in range(40) if page % (step + 2) < step]
        assert expand_ranges(compress_ranges(pages)) == pages


def test_input_is_left_alone():
    pages = [3, 1, 2]
    compress_ranges(pages)
    assert pages == [3, 1, 2]
