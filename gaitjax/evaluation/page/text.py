"""Text that can be shown, whatever the folders of a dataset are called."""

from collections.abc import Iterable

from matplotlib import font_manager

OWN = "DejaVu Sans"  # comes with Matplotlib
BOXES = "Last Resort"  # so does this one: it has a box for every character


def printable(text: str) -> str:
    """Leaves out control characters and broken encodings, which names of folders may hold."""
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)


def families(texts: Iterable[str]) -> tuple[list[str], str]:
    """Fonts of this machine that together have the characters of some texts.

    Returns:
        names of fonts, of which Matplotlib's own is the first, and the characters that none has.
    """
    lacking = set(printable("".join(texts)))
    plain = [
        entry
        for entry in font_manager.fontManager.ttflist
        if (entry.style, entry.weight) == ("normal", 400) and not entry.name.startswith(BOXES)
    ]
    chosen = [OWN]
    for entry in sorted(plain, key=lambda entry: entry.name != OWN):
        if not lacking:
            break
        found = {chr(code) for code in font_manager.get_font(entry.fname).get_charmap()}
        if lacking & found:
            chosen.append(entry.name)
            lacking -= found
    return list(dict.fromkeys(chosen)), "".join(sorted(lacking))
