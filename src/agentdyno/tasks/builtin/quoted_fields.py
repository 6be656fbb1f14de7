def quoted_fields(line: str) -> list[str]:
    """
    Split a line at its semicolons. Within double quotes a semicolon is ordinary text, the quotes themselves
    are dropped, and a backslash keeps the next character as it is, whatever it is; outside quotes a
    backslash is ordinary. A quoted part may be anywhere in a field. Raise ValueError if the line ends
    within quotes.

    >>> quoted_fields('red;"dark;blue";')
    ['red', 'dark;blue', '']
    >>> quoted_fields('x"a"y')
    ['xay']
    """
    fields = [""]
    quoted = escaped = False
    for character in line:
        if escaped:
            fields[-1] += character
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == ";" and not quoted:
            fields.append("")
        else:
            fields[-1] += character
    if quoted:
        raise ValueError("the line ends within quotes")
    return fields
