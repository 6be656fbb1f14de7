from solution import *


def check(candidate):
    assert candidate("", {}) == ""
    assert candidate("no names", {"a": "b"}) == "no names"
    assert candidate("Dear <guest>, <what> at <time>", {"guest": "Mo", "what": "<time>"}) == (
        "Dear Mo, <time> at <time>"
    )
    assert candidate("<a><b><a>", {"a": "1", "b": "2"}) == "121"
    assert candidate("<a> and <c>", {"a": "x"}) == "x and <c>"
    assert candidate("<<guest>", {"guest": "Mo"}) == "<Mo"
    assert candidate("<guest>>", {"guest": "Mo"}) == "Mo>"
    assert candidate("<<guest>>", {"guest": "Mo", "Mo": "no"}) == "<Mo>"
    assert candidate("a < b > c", {" b ": "?"}) == "a ? c"
    assert candidate("guest> <guest", {"guest": "Mo"}) == "guest> <guest"
    assert candidate("[<>]", {"": "empty"}) == "[empty]"
    assert candidate("a>b", {"a": "x", "": "y"}) == "a>b"
    assert candidate("<a>b>", {"a": "", "b": "z"}) == "b>"


def test_fill_template():
    check(fill_template)
