"""Text cut into pieces as a model's tokenizer would.

The pieces hold about four characters of code or prose. They break inside words, take a leading space with
the word that follows it, keep runs of indentation together and cut text outside ASCII small. Like a real
vocabulary the cut depends on the text alone: the same word is always cut in the same way.
"""

import re

_PIECE = re.compile(
    r"""
    \ ?[A-Za-z]{1,8}    # a word or its part, with the space before it
    | [0-9]{1,3}
    | \n+\ {0,8}        # line ends and the indentation after them
    | \ ?[!-/:-@\[-`{-~]{1,4}\n?\ {0,4}
    | [ ]{1,8}
    | .                 # everything else, one character each
    """,
    re.VERBOSE | re.DOTALL,
)


def tokenize(text: str) -> list[str]:
    """The pieces of `text`; joined they are `text` again."""
    return _PIECE.findall(text)
