# SPDX-License-Identifier: MIT
"""What a locustfile sends by json= is, byte for byte, what json.dumps writes, and what it reads what
json.loads reads."""

CHECK = """
import collections, enum, json, math, random, sys

import _cicada
from locust import User
from locust.clients import LocustResponse, json_text

random.seed(20_000)


def same(value, is_ours, **options):
    expected = json.dumps(value, **options)
    text = _cicada.json_text(value, options.get("allow_nan", True))
    assert text == (expected if is_ours else None), (value, text, expected)
    assert json_text(value, **options) == expected


def number():
    value = random.choice([
        lambda: random.uniform(-1e4, 1e4),
        lambda: round(random.uniform(-1e4, 1e4), random.randrange(9)),
        lambda: round(random.uniform(-1e9, 1e9), random.randrange(7)),
        lambda: random.random() * 10 ** random.randrange(-320, 308),
        lambda: float(random.randrange(10 ** random.randrange(1, 20))),
        lambda: 10.0 ** random.randrange(-320, 308)])()
    return random.choice([value, math.nextafter(value, math.inf), math.nextafter(value, -math.inf)])


def text():
    ends = random.choice([(32, 126), (0, 127), (0, 255), (0, 0xffff), (0, 0x10ffff)])
    return "".join(chr(random.randint(*ends)) for _ in range(random.randrange(12)))


def integer():
    return random.randrange(-10 ** random.randrange(1, 19), 10 ** random.randrange(1, 19))


def leaf():
    return random.choice([number, text, integer, lambda: None, lambda: True, lambda: False])()


def tree(depth):
    kind = random.randrange(6) if depth else 5
    count = random.randrange(5)
    if kind == 0:
        return [tree(depth - 1) for _ in range(count)]
    if kind == 1:
        return tuple(tree(depth - 1) for _ in range(count))
    if kind in (2, 3):
        return {leaf(): tree(depth - 1) for _ in range(count)}
    return leaf()


for _ in range(20_000):
    same(number(), True)
    same(tree(4), True)

nan, inf = float("nan"), float("inf")
for value in (nan, inf, -inf, [nan], {nan: inf}, 0.0, -0.0, 5e-324, 1e-4, 9.999e-05, 1e-5, 1e15,
              1e16, 1e17, 999999999.999999, 1e9, 123456789012345.6, 1.7976931348623157e308, 0.1 + 0.2,
              2 ** 63 - 1, -2 ** 63, 0, -1, "", "\\x7f", "\\0", "\\ud800 alone", "\\U0001f600",
              "a" * 100_000, "\\n" * 1000, [], {}, (), [[]], {"": {}}, {1: 1, "1": 2, True: 3},
              {None: 0, 1.5: 0, False: 1, -7: 2}):
    same(value, True)
same([0.5, 1e300], True, allow_nan=False)


class Colour(enum.IntEnum):
    RED = 1


class Word(str):
    pass


class Table(dict):
    pass


# Whatever is not plain is left to json.dumps.
deep = []
for _ in range(70):
    deep = [deep]
for value in (2 ** 63, -2 ** 63 - 1, 10 ** 400, {10 ** 30: 0}, Colour.RED, [Colour.RED], Word("a"),
              {Word("a"): 1}, Table(a=1), [1, Table(a=1)], collections.OrderedDict(a=1),
              collections.namedtuple("Pair", "a b")(1, 2), {Colour.RED: 1}, deep):
    same(value, False)


def error(f, *args):
    try:
        return f(*args)
    except Exception as e:
        return repr(e)


circle = []
circle.append({"a": circle})
for value in (circle, nan, [1, inf], {1, 2}, {(1, 2): 3}, {b"a": 1}, object, [1, b"a"]):
    expected = error(lambda v: json.dumps(v, allow_nan=False), value)
    assert "Error" in expected
    assert error(json_text, value, False) == expected, expected

def pairs():
    return {random.randrange(20): leaf() for _ in range(random.randrange(3, 12))}


class Sample:
    def __init__(self):
        self.down, self.up, self.rows, self.name = 1.5, 2, 3, "a"


# A dict is written again, with and without a change in between.
changes = [lambda d: d.update(a=leaf()), lambda d: d.pop(next(iter(d))), lambda d: d.popitem(),
           lambda d: d.setdefault(text(), leaf()), lambda d: d.__setitem__(next(iter(d)), leaf()),
           lambda d: d.__ior__(pairs()), lambda d: None, lambda d: None, lambda d: d.clear()]
kept = [pairs() for _ in range(300)]
for _ in range(30_000):
    d = random.choice(kept)
    random.choice(changes[:-1] if len(d) > 2 else [lambda d: d.update(pairs())])(d)
    same(random.choice([d, [d, d], {"in": d}]), True)
for d in kept:
    changes[-1](d)
    same(d, True)
sample, inner = Sample(), [1]
outer = {"a": inner, "b": 2, "c": 3, "d": {}}
for i in range(5):
    sample.up = i
    same(vars(sample), True)
    same(vars(sample), True)
    inner.append(i)
    outer["d"]["e"] = i
    same(outer, True)
odd = {"a": 1, "b": nan, "c": 3, "d": 4}
for _ in range(3):
    same(odd, True)
    assert error(json_text, odd, False) == error(lambda: json.dumps(odd, allow_nan=False))
long = {i: "x" * 10_000 for i in range(4)}
for d in [long] * 3 + [{i: i, 1: 1, 2: 2, 3: 3, 4: 4} for i in range(40_000)] * 3:
    same(d, True)


json.JSONEncoder.default = lambda self, value: sorted(value)
same({"set": {3, 1, 2}}, False)


# Answers are read as json.loads reads them.
texts = ["{}", "[]", '{"a": [1, 2.5, null, true]}', ' {"a": 1}', '{"a": 1} ', '{"a": 1}\\n', '{"a": 1} x', "{",
         "[1,", '{"a" 1}', '{"a": NaN}', '"a"', "1", "", "x", '{"a": "\\u00e9\\u20ac\\U0001f600"}', '["\\u00e9"]',
         '{"a": 1, "a": 2}', '{"a": "\\t"}']
contents = [text.encode(name) for text in texts
            for name in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le")]
for content in contents + [b'{"a": "\\xed\\xa0\\x80"}', b"{\\0", b"{\\0}\\0", None]:
    answer = LocustResponse((200, None, "OK", b"", content, 0.0, None, None), ("GET",) * 6)
    expected = error(json.loads, content or b"")
    assert repr(error(answer.json)) == repr(expected), (content, expected)


class Visitor(User):
    pass
"""


def test_text_of_json(programs, tmp_path):
    path = tmp_path / "locustfile.py"
    path.write_text(CHECK)
    listed, code = programs.run("cicada", "-f", path, "--list", timeout_s=300)
    assert code == 0 and "Visitor" in listed.text("stdout"), listed.text()
