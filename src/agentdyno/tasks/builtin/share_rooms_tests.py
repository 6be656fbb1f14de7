from solution import *


def is_right(lessons):
    rooms = share_rooms(lessons)
    fewest = max(sum(start <= moment < end for start, end in lessons) for moment, _ in lessons)
    return (
        len(rooms) == len(lessons)
        and set(rooms) == set(range(fewest))
        and all(
            rooms[one] != rooms[other]
            or lessons[one][1] <= lessons[other][0]
            or lessons[other][1] <= lessons[one][0]
            for one in range(len(lessons))
            for other in range(one)
        )
    )


def test_one_room():
    assert share_rooms([]) == []
    assert share_rooms([(3, 4)]) == [0]
    assert share_rooms([(0, 5), (5, 9)]) == [0, 0]
    assert share_rooms([(9, 12), (5, 9), (0, 5)]) == [0, 0, 0]


def test_several_rooms():
    assert is_right([(0, 5), (4, 9)])
    assert is_right([(0, 9), (1, 2), (2, 3), (3, 9), (8, 10)])
    assert is_right([(8, 10), (3, 9), (2, 3), (1, 2), (0, 9)])
    assert is_right([(0, 3), (0, 3), (0, 3), (3, 4), (2, 5)])
    assert is_right([(1, 4), (0, 2), (2, 6), (4, 5), (5, 9), (0, 9)])
    assert is_right([(start % 7, start % 7 + 1 + start % 3) for start in range(20)])


def test_input_is_left_alone():
    lessons = [(4, 6), (0, 5)]
    share_rooms(lessons)
    assert lessons == [(4, 6), (0, 5)]
