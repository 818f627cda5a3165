"""The doctor's report: one HTML file that needs no other."""

from __future__ import annotations

import jinja2

from mmpar.datasets.doctor.dataset_report import DatasetReport
from mmpar.utils.thumbnails import jpeg_thumbnail as _thumbnail

_SHOWN = 8
_PAGE = """\
<!doctype html><meta charset=utf-8><title>{{ title }}</title>
<style>
body{font:15px system-ui;margin:2em;max-width:70em}
table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:left}
.bar{background:#48a;height:.8em}.error{color:#b00}.warning{color:#a60}img{margin:2px}
</style>
<h1>{{ title }}</h1>
<p>Images: {{ counts }}</p>
{% for name, (low, middle, high) in sizes %}
<p>{{ name }}: {{ low }} to {{ high }} pixels, median {{ middle }}</p>
{% endfor %}
<h2>{{ report.faults | length }} faults</h2>
{% for issue in report.issues %}
<h3 class={{ issue.severity }}>{{ issue.severity }}: {{ issue.check }} \
({{ issue.where }})</h3><p>{{ issue.message }}</p>
{% for path in issue.images[:shown] %}{% set content = thumbnail(path) %}
{% if content %}<img title="{{ path }}" src="data:image/jpeg;base64,{{ content }}">\
{% endif %}{% endfor %}
{% if issue.images %}<details><summary>paths</summary>\
{% for path in issue.images %}{{ path }}<br>{% endfor %}</details>{% endif %}
{% endfor %}
<h2>Positive ratios</h2>
<table><tr><th>{% for name in report.ratios %}<th>{{ name }}{% endfor %}

{% for attribute in report.attributes %}{% set row = loop.index0 %}
<tr><td>{{ attribute }}{% for ratios in report.ratios.values() %}\
{% set known = ratios[row] == ratios[row] %}\
{% set share = ratios[row] if known else 0 %}
<td>{{ "{:.2%}".format(share) if known else "unknown" }}\
<div class=bar style="width:{{ (200 * share) | round | int }}px"></div>{% endfor %}

{% endfor %}
</table>
"""


def html_report(title: str, report: DatasetReport) -> str:
    """The whole page: figures, issues with images, positive ratios as bars.

    Names and messages are escaped; images are small and inside the page.
    """
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    return environment.from_string(_PAGE).render(
        title=title,
        report=report,
        counts=", ".join(f"{name} {n:,}" for name, n in report.counts.items()),
        sizes=list(zip(("Width", "Height"), report.sizes or ())),
        shown=_SHOWN,
        thumbnail=_thumbnail,
    )
