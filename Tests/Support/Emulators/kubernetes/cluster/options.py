"""Command lines as the tools' flag library reads them."""

from .world import Failure


def parse(words, flags, values):
    """Operands, set flags and options with values. Nothing behind `--` is an option."""
    operands, found = [], {}
    place = 0
    while place < len(words):
        word = words[place]
        place += 1
        if word == "--":
            operands += words[place:]
            break
        if not word.startswith("-") or word == "-":
            operands.append(word)
            continue
        name, equals, value = word.partition("=")
        if name in flags:
            found[name] = value != "false"
        elif name in values:
            if not equals:
                if place == len(words):
                    raise Failure("Error: flag needs an argument: %s" % name)
                value, place = words[place], place + 1
            found[name] = value
        else:
            raise Failure("Error: unknown flag: %s" % name if name.startswith("--") else
                          "Error: unknown shorthand flag: %r in %s" % (name[1:2], word))
    return operands, found
