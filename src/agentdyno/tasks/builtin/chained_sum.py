def chained_sum(text: str) -> int | None:
    """
    A pocket calculator knows no precedence: it works strictly from left to right. The text has whole
    numbers, and between them the keys + - * and /, with or without spaces around them; division drops what
    does not come out even, towards zero. Pressing another key right after a key replaces it, so "4 + * 2"
    is 8. Keys before the first number do nothing, as do keys after the last. Return what the display shows
    at the end, 0 if no number was given, or None when something was divided by zero.

    >>> chained_sum("2 + 3 * 4")
    20
    >>> chained_sum("7-9/2")
    -1
    """
    for key in "+-*/":
        text = text.replace(key, f" {key} ")
    shown: int | None = None
    pressed = ""
    for word in text.split():
        if word in "+-*/":
            pressed = word
            continue
        number = int(word)
        if shown is None:
            shown = number
        elif pressed == "+":
            shown += number
        elif pressed == "-":
            shown -= number
        elif pressed == "*":
            shown *= number
        elif number == 0:
            return None
        else:
            shown = abs(shown) // number * (1 if shown >= 0 else -1)
    return 0 if shown is None else shown
