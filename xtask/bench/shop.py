"""Classes of an application, for sessions to hold."""


class User:
    """Whoever is logged in."""

    def __init__(self, number, name, roles):
        self.number = number
        self.name = name
        self.roles = roles
