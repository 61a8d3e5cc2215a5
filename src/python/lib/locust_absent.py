# SPDX-License-Identifier: MIT
"""What Locust has for programs that use it as a library: it can be imported, and says what it is when
it is used."""


def absent(module, *names):
    """A class for each name, which stands for functions as well."""
    def refuse(cls, *args, **kwargs):
        raise NotImplementedError(f"{module}.{cls.__name__} is for programs that use Locust as a "
                                  "library; here cicada runs the test")
    return [type(name, (), {"__new__": refuse, "__module__": module}) for name in names]
