# SPDX-License-Identifier: MIT
"""The report is the engine's: --html FILE, or /stats/report."""
from locust_absent import absent

get_html_report, process_html_filename, render_template_from = absent(
    __name__, "get_html_report", "process_html_filename", "render_template_from")
