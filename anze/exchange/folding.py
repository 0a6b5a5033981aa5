"""Folding: what a Chinese keyboard or a copied web page puts in place of a plain character, put back."""

_BLANKS = dict.fromkeys((0x00A0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " ")
_NOTHING = dict.fromkeys((0x00AD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF))
_CONTROLS = dict.fromkeys((*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0)))
_WIDE = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_WIDE_WORDS = {code: plain for code, plain in _WIDE.items() if plain.isalnum()}
_DASHES = dict.fromkeys((*range(0x2010, 0x2016), 0x2212), "-")

_PROSE = {**_CONTROLS, **_BLANKS, **_NOTHING, **_WIDE_WORDS}
_PLAIN = {**_PROSE, **_WIDE, **_DASHES, 0xFFE5: "¥", 0x09: " "}


def plain(text: str) -> str:
    """Half-width throughout, ordinary blanks and dashes, nothing invisible, no blanks at the ends."""
    return text.strip() if text.isascii() and text.isprintable() else text.translate(_PLAIN).strip()


def unspaced(text: str) -> str:
    """`plain`, and without the blanks in between."""
    return "".join(plain(text).split())


def tidy(text: str) -> str:
    """Running text: wide letters and digits become plain, Chinese punctuation stays, line breaks stay."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    lines = text.replace("\r\n", "\n").replace("\r", "\n").translate(_PROSE).split("\n")
    return "\n".join(" ".join(line.split()) for line in lines).strip()
