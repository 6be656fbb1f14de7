"""Numbers of things in words."""


def counted(number: int, thing: str) -> str:
    """`1 run`, `3 runs`, `1,000 agents`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
