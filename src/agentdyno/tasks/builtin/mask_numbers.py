def mask_numbers(text: str, keep: int) -> str:
    """
    Hide the long numbers in a message: in every unbroken run of digits that is longer than `keep`, replace
    each digit but the last `keep` by '*'. A single space between two digits does not break a run, and stays
    where it is without being counted.

    >>> mask_numbers("card 4929 1122 call 5550", 4)
    'card **** 1122 call 5550'
    >>> mask_numbers("12345", 0)
    '*****'
    """
    masked = ""
    digits_after = 0
    for index in range(len(text) - 1, -1, -1):
        character = text[index]
        if character in "0123456789":
            masked = ("*" if digits_after >= keep else character) + masked
            digits_after += 1
        else:
            before_and_after = text[max(index - 1, 0) : index] + text[index + 1 : index + 2]
            inside = len(before_and_after) == 2 and all(each in "0123456789" for each in before_and_after)
            if not (character == " " and inside):
                digits_after = 0
            masked = character + masked
    return masked
