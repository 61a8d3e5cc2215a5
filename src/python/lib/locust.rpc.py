# SPDX-License-Identifier: MIT
"""What goes between processes, as Locust packs it."""
import datetime

_TIME = "%Y%m%dT%H:%M:%S.%f"


def _msgpack():
    try:
        import msgpack
    except ImportError:
        raise ImportError("messages between processes need msgpack for Debian's Python: "
                          "apt-get install python3-msgpack") from None
    return msgpack


def _encode(value):
    if isinstance(value, datetime.datetime):
        return {"__datetime__": True, "as_str": value.strftime(_TIME)}
    return value


def _decode(value):
    if "__datetime__" in value:
        return datetime.datetime.strptime(value["as_str"], _TIME)
    return value


def pack(value):
    return _msgpack().packb(value, default=_encode, use_bin_type=True)


def pack_pairs(values):
    """Keys and values of a map that has others, too, and how many keys."""
    return b"".join(pack(key) + pack(value) for key, value in values.items()), len(values)


def unpack(data):
    return _msgpack().unpackb(data, object_hook=_decode, raw=False, strict_map_key=False)


from locust.rpc.protocol import Message  # noqa: E402,F401
