from solution import *


def check(candidate):
    def corrected(book, counted):
        return list(candidate(book, counted).items())

    assert corrected({}, []) == []
    assert corrected({"cup": 2}, ["cup", "cup"]) == []
    assert corrected({"cup": 0}, []) == []
    assert corrected({"cup": 2}, []) == [("cup", -2)]
    assert corrected({}, ["cup"]) == [("cup", 1)]
    assert corrected({"lamp": 4, "cup": 2}, ["cup", "3 x lamp", "cup", "pen"]) == [("lamp", -1), ("pen", 1)]
    assert corrected({"b": 1, "a": 1, "c": 5}, ["12 x d", "f", "e"]) == [
        ("c", -5),
        ("a", -1),
        ("b", -1),
        ("e", 1),
        ("f", 1),
        ("d", 12),
    ]
    assert corrected({"a": 3}, ["2 x a", "2 x a"]) == [("a", 1)]
    assert corrected({}, ["salt x pepper"]) == [("salt x pepper", 1)]
    assert corrected({}, ["2 x salt x pepper"]) == [("salt x pepper", 2)]
    assert corrected({}, ["0 x nothing"]) == []


def test_stock_take():
    check(stock_take)


def test_book_is_left_alone():
    book = {"cup": 1}
    stock_take(book, ["cup", "pen"])
    assert book == {"cup": 1}
