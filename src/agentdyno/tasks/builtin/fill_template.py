def fill_template(template: str, values: dict[str, str]) -> str:
    """
    Replace each name in angle brackets, such as <guest>, by its value. Text that was put in is not searched
    again. A pair of brackets whose content is not a known name stays as it is; a name has no bracket in it,
    so that in "<<guest>" only the inner part is one. "<>" is the name "" like any other.

    >>> fill_template("Dear <guest>, <what> at <time>", {"guest": "Mo", "what": "<time>"})
    'Dear Mo, <time> at <time>'
    """
    filled = ""
    rest = template
    while ">" in rest:
        before, _, rest = rest.partition(">")
        start = before.rfind("<")
        if start >= 0 and before[start + 1 :] in values:
            filled += before[:start] + values[before[start + 1 :]]
        else:
            filled += before + ">"
    return filled + rest
