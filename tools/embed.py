#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns files into one C source: for a.html `const char embed_a_html[]`, NUL-terminated.

usage: embed.py OUT.c FILE...
"""
import pathlib
import re
import sys


def c_array(path):
    name = re.sub(r"\W", "_", path.name)
    bytes_ = path.read_bytes() + b"\0"
    lines = [",".join(map(str, bytes_[i:i + 20])) for i in range(0, len(bytes_), 20)]
    return ("extern const char embed_%s[];\nconst char embed_%s[] = {\n%s\n};\n"
            % (name, name, ",\n".join(lines)))


def main():
    out, files = sys.argv[1], [pathlib.Path(name) for name in sys.argv[2:]]
    # Bytes above 127 do not fit into a signed char without a cast.
    for path in files:
        if not path.read_bytes().isascii():
            sys.exit("%s: not ASCII; write other characters as entities or escapes" % path)
    pathlib.Path(out).write_text("\n".join(map(c_array, files)))


if __name__ == "__main__":
    main()
