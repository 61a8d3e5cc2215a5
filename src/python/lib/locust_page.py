# SPDX-License-Identifier: MIT
"""index.html for templates of a locustfile: what `{% extends "index.html" %}` fills the blocks of, and
what shows the tabs, tables and files of its template_args. The page of the test itself is at /."""

INDEX = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{{ (template_args or {}).locustfile or locustfile or "locustfile" }} - Cicada</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
nav ul { display: flex; gap: 1.5rem; list-style: none; padding: 0 }
table { border-collapse: collapse; margin: 1rem 0 } th, td { padding: .3rem 1rem; text-align: left }
th { border-bottom: 1px solid } td + td, th + th { text-align: right }
</style>
{% block extended_head %}{% endblock extended_head %}
</head>
<body>
<nav><ul class="tabs"><li><a href="./">Statistics</a></li>
{% block extended_tabs %}{% endblock extended_tabs %}</ul></nav>
<div class="panes">{% block extended_panes %}{% endblock extended_panes %}</div>
<main></main>
<script>
"use strict";
const given = {{ (template_args or {})|tojson }};
const main = document.querySelector("main");
function add(parent, tag, text) {
  const node = parent.appendChild(document.createElement(tag));
  node.textContent = text === undefined ? "" : text;
  return node;
}
// The panes of blocks, one for each tab but the first.
document.querySelectorAll(".tabs li").forEach((tab, i) => {
  if (i) tab.addEventListener("click", () =>
    [...document.querySelector(".panes").children].forEach((pane, k) => {
      pane.style.display = k === i - 1 ? "block" : "none";
    }));
});
const bodies = (given.extended_tables || []).map(table => {
  const tab = (given.extended_tabs || []).find(tab => tab.key === table.key);
  if (tab) add(main, "h2", tab.title);
  const shown = add(main, "table"), head = add(add(shown, "thead"), "tr");
  table.structure.forEach(column => add(head, "th", column.title));
  return { table, rows: add(shown, "tbody") };
});
(given.extended_csv_files || []).forEach(file => {
  add(add(main, "p"), "a", file.title).href = file.href;
});
async function refresh() {
  const reply = await fetch("./extended-stats");
  for (const stats of reply.ok ? (await reply.json()).extended_stats || [] : [])
    for (const { table, rows } of bodies.filter(body => body.table.key === stats.key)) {
      rows.replaceChildren();
      for (const row of Array.isArray(stats.data) ? stats.data : []) {
        const line = add(rows, "tr");
        table.structure.forEach(column => add(line, "td", row[column.key]));
      }
    }
}
if (bodies.length) {
  refresh();
  setInterval(refresh, 2000);
}
</script>
{% block extended_script %}{% endblock extended_script %}
</body>
</html>
"""
