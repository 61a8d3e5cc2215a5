# SPDX-License-Identifier: MIT
"""What Locust has for programs that use it as a library, and what it had before 1.0: it can be imported,
and says what it is when it is used."""

CHANGES = "see https://docs.locust.io/en/stable/changelog.html#changelog-1-0"


def absent(module, *names):
    """A class for each name, which stands for functions as well."""
    def refuse(cls, *args, **kwargs):
        raise NotImplementedError(f"{module}.{cls.__name__} is for programs that use Locust as a "
                                  "library; here cicada runs the test")
    return [type(name, (), {"__new__": refuse, "__module__": module}) for name in names]


class Renamed(type):
    """A class of a name that is no more."""

    def __new__(mcs, name, bases, members):
        if bases:
            raise ImportError(f"The {bases[0].__name__} class has been renamed to {bases[0].now} in "
                              f"version 1.0; {CHANGES}")
        return type.__new__(mcs, name, bases, members)
