from solution import *


def test_span_seconds():
    assert span_seconds("") == 0
    assert span_seconds("7s") == 7
    assert span_seconds("1h 5s") == 3605
    assert span_seconds("2d 3h 4m 15s") == 183855


def test_spell_span():
    assert spell_span(0, 3) == "0s"
    assert spell_span(1, 1) == "1s"
    assert spell_span(59, 4) == "59s"
    assert spell_span(60, 4) == "1m"
    assert spell_span(3599, 4) == "59m 59s"
    assert spell_span(3600, 4) == "1h"
    assert spell_span(86399, 4) == "23h 59m 59s"
    assert spell_span(90061, 4) == "1d 1h 1m 1s"
    assert spell_span(400 * 86400, 4) == "400d"


def test_cut_off():
    assert spell_span(86405, 2) == "1d 5s"
    assert spell_span(90061, 3) == "1d 1h 1m"
    assert spell_span(90061, 1) == "1d"
    assert spell_span(7199, 1) == "1h"


def test_backwards():
    assert spell_span(-7199, 1) == "-1h"
    assert spell_span(-1, 2) == "-1s"
    assert spell_span(-61, 2) == "-1m 1s"


def test_there_and_back():
    for seconds in range(0, 300000, 7919):
        assert span_seconds(spell_span(seconds, 4)) == seconds
