# SPDX-License-Identifier: MIT
"""The web interface of a started cicada, as a program asks it."""

import json
import urllib.parse
import urllib.request

# What cicada says when it is there; the first group is its URL.
WEB_READY = r"Starting web interface at (http://[\w.:]+)"


def get_json(url, form=None):
    """What GET, or POST with the form, is answered."""
    body = urllib.parse.urlencode(form).encode() if form else None
    with urllib.request.urlopen(url, body, timeout=60) as reply:
        return json.load(reply)


def live(url):
    return get_json(url + "/stats/requests")
