"""How the tools fail: a text for people, and an exit code that means nothing beyond not being 0."""


class Die(Exception):
    def __init__(self, message, code=255):
        super().__init__(message)
        self.message, self.code = message, code


class BadParameter(Die):
    """A parameter that is refused before anything is done."""

    def __init__(self, field, reason, code=2):
        super().__init__("400 Parameter verification failed.\n%s: %s" % (field, reason), code)
        self.wants_usage = True


class BadCall(Die):
    """Too few arguments, or an option that is not known."""

    def __init__(self, message, code=2):
        super().__init__(message, code)
        self.wants_usage = True
