def vote_rounds(ballots: list[list[str]]) -> list[str]:
    """
    Every ballot names candidates, the best liked first, none twice. In each round a ballot counts for the
    first of its names that is still in the race; a candidate with more than half of the counted ballots
    wins. Otherwise all candidates with the fewest votes (0 included, everybody named on any ballot being a
    candidate) leave the race together, and a new round begins. Return the winner in a list of one; if
    everybody has to leave together, all of them in alphabetical order.

    >>> vote_rounds([["a", "b"], ["b"], ["c", "b"], ["a"], ["b"]])
    ['b']
    >>> vote_rounds([["x"], ["y"]])
    ['x', 'y']
    """
    racing = {name for ballot in ballots for name in ballot}
    while racing:
        votes = dict.fromkeys(racing, 0)
        for ballot in ballots:
            for name in ballot:
                if name in racing:
                    votes[name] += 1
                    break
        counted = sum(votes.values())
        for name in racing:
            if 2 * votes[name] > counted:
                return [name]
        leaving = {name for name in racing if votes[name] == min(votes.values())}
        if leaving == racing:
            break
        racing -= leaving
    return sorted(racing)
