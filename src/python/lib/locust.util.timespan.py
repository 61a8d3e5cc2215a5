# SPDX-License-Identifier: MIT
import re

_ERROR = "Invalid time span format. Valid formats: 20, 20s, 3m, 2h, 1h20m, 3h30m10s, etc."


def parse_timespan(time_str):
    """Seconds of 20, 20s, 3m, 1h20m, 3h30m10s."""
    match = re.fullmatch(r"(\d+)|(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", time_str or "")
    if not match or not match[0]:
        raise ValueError(_ERROR)
    seconds, hours, minutes, rest = (int(part or 0) for part in match.groups())
    return seconds + hours * 3600 + minutes * 60 + rest
