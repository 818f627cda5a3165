"""The report of an analysis: one HTML file that needs no other."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import jinja2
import numpy as np

from mmpar.evaluation.analysis import (
    MIN_EACH_CLASS,
    SMALL_GROUP,
    Analysis,
    AttributeGap,
    GroupingResult,
    GroupResult,
)
from mmpar.evaluation.functional import Interval, Reliability, reliability
from mmpar.evaluation.predictions import Predictions
from mmpar.evaluation.result_record import record_lines
from mmpar.utils.thumbnails import jpeg_thumbnail
from mmpar.visualization.analysis_figures import (
    draw_attribute,
    draw_reliability_of_groups,
)

_GAPS_SHOWN = 15

_PAGE = """\
<!doctype html><html lang=en><meta charset=utf-8>
<meta name=viewport content="width=device-width,initial-scale=1">
<title>{{ title }}</title>
<style>
:root{color-scheme:light dark;--line:#8886;--soft:#8882;--mark:#c60}
body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;padding:1em;max-width:80em}
h2{margin-top:2em;border-bottom:1px solid var(--line)}
nav a{margin-right:1em}
.scroll{overflow-x:auto;max-width:100%}
.scroll:focus-visible,button:focus-visible{outline:2px solid #48f}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25em .4em;text-align:right;border-bottom:1px solid var(--line);
white-space:nowrap}
th:first-child,td:first-child{text-align:left;position:sticky;left:0;background:Canvas}
thead th{vertical-align:bottom;white-space:normal}
th button{all:unset;cursor:pointer;font-weight:bold}
th[aria-sort=ascending] button::after{content:" \\25B2"}
th[aria-sort=descending] button::after{content:" \\25BC"}
.range{opacity:.65;font-size:80%}
.zero{opacity:.65}.clear{font-weight:bold}.mark{color:var(--mark)}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(20em,100%),1fr));
gap:1em}
.card{border:1px solid var(--line);border-radius:.4em;padding:.6em;min-width:0;
overflow-wrap:anywhere}
.card svg,figure svg{max-width:100%;height:auto}figure{margin:1em 0}
.faces{display:grid;gap:1em;
grid-template-columns:repeat(auto-fill,minmax(min(16em,100%),1fr))}
.face{display:flex;gap:.6em;font-size:88%;min-width:0;overflow-wrap:anywhere}
.face img{height:128px;flex:none}
.cell{background:rgba(70,130,220,var(--share))}
</style>
{% macro interval(one) %}{% if one.value != one.value %}\
<span class=range>undefined</span>{% else %}\
{{ "%.1f" | format(one.value) }}{% if one.low != one.low %} \
<span class="range mark">no interval</span>{% elif one.low != one.high %} \
<span class=range>{{ "%.1f" | format(one.low) }} to {{ "%.1f" | format(one.high) }}\
</span>{% endif %}{% if one.undefined %}<span class="range mark" \
title="undefined in {{ "%.2g" | format(100 * one.undefined) }} % of draws">*</span>\
{% endif %}{% endif %}{% endmacro %}
{% macro gap(one) %}{% if one.value != one.value or one.low != one.low %}\
{{ interval(one) }}{% else %}\
<span class={{ "zero" if one.holds_zero else "clear" }}>\
{{ "%+.1f" | format(one.value) }}</span> <span class=range>\
{{ "%+.1f" | format(one.low) }} to {{ "%+.1f" | format(one.high) }}\
{{ " ~0" if one.holds_zero }}</span>{% endif %}{% endmacro %}
{% macro face(one) %}<div class=face>{% set content = thumbnail(one.img_path) %}\
{% if content %}<img alt="" loading=lazy src="data:image/jpeg;base64,{{ content }}">\
{% endif %}<div>{{ one.img_path }}<br>loss {{ "%.2f" | format(one.loss) }}\
{% for name, score in one.wrong[:6] %}<br>{{ name }}: \
{{ "present" if score < 0.5 else "absent" }}, score {{ "%.3f" | format(score) }}\
{% endfor %}{% if one.wrong | length > 6 %}<br>and {{ one.wrong | length - 6 }} more\
{% endif %}</div></div>{% endmacro %}
{% macro head(columns) %}<thead><tr>{% for name in columns %}\
<th scope=col><button type=button>{{ name }}</button></th>{% endfor %}</tr></thead>\
{% endmacro %}
<h1>{{ title }}</h1>
<p>{{ "{:,}".format(a.images) }} images of {{ "{:,}".format(a.persons) }} persons, \
{{ a.schema | length }} attributes of {{ a.schema.title }}. All numbers are percent. \
Ranges hold 95 % of {{ "{:,}".format(a.rounds) }} draws of the bootstrap, which \
resamples persons; * marks a number that some draws do not define, and those are left \
out of its range.</p>
<nav><a href="#attributes">Attributes</a><a href="#groups">Groups</a>\
<a href="#confusions">Exclusive sets</a><a href="#worst">Worst images</a>\
<a href="#curves">Curves</a></nav>
<details open><summary>What the numbers come from</summary><ul>\
{% for line in record_lines(a.record) %}<li>{{ line }}</li>{% endfor %}</ul></details>
{% if a.notes %}<ul>{% for note in a.notes %}<li>{{ note }}</li>{% endfor %}</ul>\
{% endif %}
<div class=scroll tabindex=0 role=region aria-label="Summary"><table>
<thead><tr>{% for name in a.summary %}<th scope=col>{{ name }}</th>{% endfor %}</tr>\
</thead>
<tbody><tr>{% for one in a.summary.values() %}<td>{{ interval(one) }}</td>{% endfor %}\
</tr></tbody></table></div>

<h2 id=attributes>Attributes</h2>
<p>The weakest mA first. A column's name sorts by it.</p>
<div class=scroll tabindex=0 role=region aria-label="Attributes"><table>
{{ head(["attribute", "known", "positives"] + (attributes[0].metrics | list)) }}
<tbody>{% for row in attributes %}<tr><th scope=row>\
<a href="#curve-{{ loop.index }}">{{ row.name }}</a></th>\
<td>{{ row.known }}</td><td>{{ row.positives }}</td>\
{% for one in row.metrics.values() %}\
<td data-value="{{ one.value }}">{{ interval(one) }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>

<h2 id=groups>Groups</h2>
<p>A gap is the group minus the other groups of its table; 95 % of the draws lie in \
its range. Where the range holds 0, no difference is shown. mA is over the attributes \
that have {{ least }} positives and {{ least }} negatives in the group and in the \
others, so that both are means of the same attributes. ECE is the mean over attributes \
of the expected calibration error; few images make it large by chance, so its gap is \
of what exceeds that. <span class=mark>small</span>: the group or the others have \
fewer than {{ small }} persons, and ranges are then too narrow. Of all {{ tests }} \
gaps here, about {{ (tests / 20) | round | int }} would leave out 0 by chance alone; \
{{ clear }} do.</p>
{% if not a.groupings %}<p>Nothing divides these images into groups.</p>{% endif %}
{% for grouping in a.groupings %}
<h3>{{ grouping.title }}</h3>
{% if grouping.left_out %}<p>Images in no group: {{ grouping.left_out }}</p>{% endif %}
<div class=scroll tabindex=0 role=region aria-label="{{ grouping.title }}"><table>
{{ head(["group", "images", "persons", "attributes", "mA", "gap of mA", "instance F1",
"gap of F1", "ECE", "by chance", "gap of ECE"]) }}
<tbody>{% for group in by_gap(grouping) %}<tr><th scope=row>{{ group.name }}\
{% if group.is_small %} <span class=mark>small</span>{% endif %}</th>\
<td>{{ group.images }}</td><td>{{ group.persons }}</td><td>{{ group.compared }}</td>\
{% for name in group.metrics %}\
<td data-value="{{ group.metrics[name].value }}">\
{{ interval(group.metrics[name]) }}</td>\
{% if name == "ECE" %}<td>{{ "%.1f" | format(group.chance_error) }}</td>{% endif %}\
<td data-value="{{ group.gaps[name].value }}">{{ gap(group.gaps[name]) }}</td>\
{% endfor %}</tr>
{% endfor %}</tbody></table></div>
{% set found, total = attribute_gaps(grouping) %}
<details><summary>Reliability, and attributes with a clear gap of mA \
({{ found | length }} of {{ total }} examined)</summary>
<figure>{{ draw_groups(grouping) | safe }}<figcaption>Share of positives over the mean \
score of bins, all attributes together: on the diagonal, scores are right; below it, \
too high.</figcaption></figure>
{% if found %}<div class=scroll tabindex=0 role=region \
aria-label="Attribute gaps by {{ grouping.title }}"><table>
{{ head(["attribute", "group", "mA there", "gap"]) }}
<tbody>{% for group, one in found[:shown] %}<tr><th scope=row>{{ one.name }}</th>\
<td>{{ group.name }}{% if group.is_small %} <span class=mark>small</span>{% endif %}\
</td><td>{{ "%.1f" | format(one.value) }}</td>\
<td data-value="{{ one.gap.value }}">{{ gap(one.gap) }}</td></tr>
{% endfor %}</tbody></table></div>
{% if found | length > shown %}<p>The {{ shown }} largest of {{ found | length }}.</p>\
{% endif %}{% endif %}</details>
{% endfor %}

<h2 id=confusions>Exclusive sets</h2>
{% if not a.confusions %}<p>The schema has none.</p>{% else %}
<p>Images by what is true (rows) and what is decided (columns); a cell is as dark as \
its share of the row.</p>{% endif %}
{% for one in a.confusions %}
<div class=scroll tabindex=0 role=region aria-label="Confusion"><table>
<thead><tr><th scope=col>true \\ decided</th>{% for name in one.answers %}\
<th scope=col>{{ name }}</th>{% endfor %}<th scope=col>right</th></tr></thead>
<tbody>{% for row in one.counts.tolist() %}{% set name = one.answers[loop.index0] %}\
{% set right = row[loop.index0] %}{% set total = row | sum %}
<tr><th scope=row>{{ name }}</th>{% for count in row %}\
<td class=cell style="--share:{{ "%.2f" | format(0.8 * count / [total, 1] | max) }}">\
{{ count }}</td>{% endfor %}\
<td>{{ "%.1f" | format(100 * right / total) if total else "-" }}</td></tr>
{% endfor %}</tbody></table></div>
{% if one.left_out %}<p>Left out, as not all of these are known: \
{{ one.left_out }} images</p>{% endif %}
{% endfor %}

<h2 id=worst>Worst images</h2>
<p>The largest mean binary cross entropy over known labels, with what is labelled and \
decided otherwise: some are errors of the labels. {{ images_note }}</p>
<div class=faces>{% for one in a.worst %}{{ face(one) }}{% endfor %}</div>

<h2 id=curves>Curves</h2>
<p>Left, precision over recall; the dot is the model's decisions. Right, the share of \
positives over the mean score of bins. Below, images that are decided wrongly by the \
clearest scores.</p>
<div class=grid>
{% for row in attributes %}<section class=card id=curve-{{ loop.index }}>\
<b>{{ row.name }}</b> AP {{ interval(row.metrics["AP"]) }}
{{ draw(row.name) | safe }}
{% set wrong = a.confidently_wrong[row.name] %}
{% if wrong %}<details><summary>{{ wrong | length }} confidently wrong</summary>\
{% for one in wrong %}{{ face(one) }}{% endfor %}</details>{% endif %}</section>
{% endfor %}</div>
<script>
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const th = button.parentNode, index = th.cellIndex;
    const body = th.closest("table").tBodies[0];
    const up = th.getAttribute("aria-sort") === "descending";
    for (const other of th.parentNode.cells) other.removeAttribute("aria-sort");
    th.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = row => row.cells[index].dataset.value ?? row.cells[index].textContent;
    const number = row => {
      const value = parseFloat(key(row));
      return value === value ? value : -1e9;  // undefined ones last
    };
    const text = index === 0;
    const order = (a, b) => text ? key(b).localeCompare(key(a)) : number(b) - number(a);
    const rows = [...body.rows].sort((a, b) => up ? order(b, a) : order(a, b));
    body.append(...rows);
  });
}
</script></html>
"""


def html_report(
    title: str, analysis: Analysis, predictions: Predictions, images: str | None = None
) -> str:
    """The whole page; names are escaped.

    Args:
        title: Of the page.
        analysis: Of the predictions.
        predictions: For the curves.
        images: Folder below which the images lie; small copies of those that the page
            names are embedded then. An image is where the longest end of its path is a
            file below the folder.

    Raises:
        FileNotFoundError: There is none of the images below the folder.
    """
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    thumbnails, images_note = _thumbnails(analysis, images)
    groups = [g for grouping in analysis.groupings for g in grouping.groups]
    gaps = [one for group in groups for one in group.gaps.values()]
    gaps = [one for one in gaps if not math.isnan(one.low)]
    return environment.from_string(_PAGE).render(
        title=title,
        a=analysis,
        record_lines=record_lines,
        attributes=sorted(
            analysis.attributes, key=lambda row: _rank(row.metrics["mA"])
        ),
        by_gap=_by_gap,
        attribute_gaps=_clear_attribute_gaps,
        tests=len(gaps),
        clear=sum(not one.holds_zero for one in gaps),
        draw=_attribute_drawer(analysis, predictions),
        draw_groups=_draw_groups,
        thumbnail=lambda path: thumbnails.get(path, ""),
        images_note=images_note,
        least=MIN_EACH_CLASS,
        small=SMALL_GROUP,
        shown=_GAPS_SHOWN,
    )


def _rank(one: Interval) -> float:
    """For sorting, undefined ones last."""
    return math.inf if math.isnan(one.value) else one.value


def _by_gap(grouping: GroupingResult) -> list[GroupResult]:
    """The groups, that with the lowest gap of mA first."""
    return sorted(grouping.groups, key=lambda group: _rank(group.gaps["mA"]))


def _clear_attribute_gaps(
    grouping: GroupingResult,
) -> tuple[list[tuple[GroupResult, AttributeGap]], int]:
    """Those whose interval leaves out 0, the largest first, and how many there are."""
    every = [(group, one) for group in grouping.groups for one in group.attributes]
    clear = [
        (group, one)
        for group, one in every
        if not one.gap.holds_zero and not math.isnan(one.gap.low)
    ]
    return sorted(clear, key=lambda pair: -abs(pair[1].gap.value)), len(every)


def _attribute_drawer(
    analysis: Analysis, predictions: Predictions
) -> Callable[[str], str]:
    bins = reliability(predictions.scores, predictions.labels)

    def draw(name: str) -> str:
        a = analysis.schema.index(name)
        one = Reliability(*(part[[a]] for part in vars(bins).values()))
        return draw_attribute(
            predictions.scores[:, a],
            predictions.labels[:, a],
            predictions.decisions[:, a],
            one,
        )

    return draw


def _draw_groups(grouping: GroupingResult) -> str:
    """Pooled over attributes."""
    bins = np.stack([group.bins.sum(axis=1) for group in grouping.groups])
    count, score, positive = np.moveaxis(bins, 1, 0)
    divisor = np.where(count > 0, count, np.nan)
    names = [group.name for group in grouping.groups]
    pooled = Reliability(count, score / divisor, positive / divisor)
    return draw_reliability_of_groups(names, pooled)


def _thumbnails(analysis: Analysis, root: str | None) -> tuple[dict[str, str], str]:
    """Small copies of the images that the page names, and a line about them."""
    if root is None:
        return {}, "Run with --images FOLDER to see them."
    wrong = [one for images in analysis.confidently_wrong.values() for one in images]
    paths = dict.fromkeys(one.img_path for one in [*analysis.worst, *wrong])
    found = {path: file for path in paths if (file := _below(root, path))}
    if not found:
        raise FileNotFoundError(
            f"none of the {len(paths)} images of the report is below {root}, such as "
            f"{next(iter(paths))}; give the folder below which the end of that path "
            "lies"
        )
    small = {path: jpeg_thumbnail(str(file)) for path, file in found.items()}
    missing = len(paths) - sum(map(bool, small.values()))
    note = f"{missing} of {len(paths)} images were not found or not readable."
    return small, note if missing else ""


def _below(root: str, path: str) -> Path | None:
    """The file at the longest end of a path that exists below a folder."""
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", "..", ".")]
    ends = (Path(root, *parts[start:]) for start in range(len(parts)))
    return next((file for file in ends if file.is_file()), None)
