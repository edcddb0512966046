"""How `pct` takes its words: decoded by the locale, under C with U+FFFD for each byte beyond ASCII."""

import os


def decoded(words):
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or "C"
    if locale.upper().replace("-", "").endswith(".UTF8"):
        return words
    return [os.fsencode(word).decode("ascii", "replace") for word in words]
