# SPDX-License-Identifier: MIT
def proper_round(val, digits=0):
    """Half is rounded up."""
    return round(val + 10 ** (-len(str(val)) - 1), digits)
