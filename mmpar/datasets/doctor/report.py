"""The doctor's report: one HTML file that needs no other."""

from __future__ import annotations

import jinja2

from mmpar.datasets.doctor.dataset_report import DatasetReport
from mmpar.datasets.doctor.label_errors import SAID
from mmpar.utils.thumbnails import jpeg_thumbnail

_SHOWN = 8
_SUSPECTS = 8
"""Shown of one attribute: one that the model cannot see is not to fill the page."""
_GROUPS = 60
_PAGE = """\
<!doctype html><meta charset=utf-8><title>{{ title }}</title>
<style>
body{font:15px system-ui;margin:2em;max-width:70em}
table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:left}
.bar{background:#48a;height:.8em}.error{color:#b00}.warning{color:#a60}img{margin:2px}
.cards{display:flex;flex-wrap:wrap;gap:1em}.card{width:15em;display:flex;gap:.6em}
.copies{width:auto}.card img{max-width:6em;height:8em;object-fit:contain}
.card>div{overflow-wrap:anywhere;font-size:85%;min-width:9em;max-width:15em}
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
{% include "x_ray" %}
{% if report.comparison %}{% set found = report.comparison %}
<h2>Beside {{ found.title }}</h2>
<p>{{ "{:,}".format(found.images) }} images are in both datasets.
<table><tr><th>attribute<th>compared<th>agreeing<th>Cohen's kappa
{% for one in found.agreements %}
<tr><td>{{ one.attribute }}<td>{{ "{:,}".format(one.compared) }}
<td>{{ "{:.1%}".format(one.agreeing / one.compared) }}
<td>{{ "{:.3f}".format(one.kappa) if one.kappa == one.kappa else "undefined" }}
{% endfor %}
</table>
{% endif %}
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


_X_RAY = """\
{% macro image(path) %}
<img title="{{ path }}" alt="" src="data:image/jpeg;base64,{{ thumbnail(path) }}">
{% endmacro %}
{% macro share(count, of) %}
{{ "{:,}".format(count) }} ({{ "{:.1%}".format(count / [of, 1] | max) }})\
{% endmacro %}
{% if report.x_ray %}{% set found = report.x_ray %}
<h2>{{ "{:,}".format(found.suspects | length) }} suspected label errors</h2>
<p>Most doubtful first; up to {{ suspects }} of each attribute are shown.
<p>Images with a prediction: {% for name, count in found.covered.items() %}
{{ name }} {{ share(count, report.counts[name]) }}{{ "" if loop.last else "," }}
{% endfor %}
<div class=cards>
{% for one in found.first_of_each(suspects) %}
<div class=card>{{ image(one.image) }}<div><b>{{ one.attribute }}</b><br>
labelled <b>{{ said[one.given] }}</b><br>{{ one.split }}: {{ name_of(one.image) }}
{% for why in one.reasons %}<br>{{ why }}{% endfor %}
</div></div>
{% endfor %}
</div>
<h3>By attribute</h3>
<table><tr><th>attribute<th>known labels<th>suspects<th>labelled present<th>absent
{% for one in found.counts %}
<tr><td>{{ one.attribute }}<td>{{ "{:,}".format(one.known) }}
<td>{{ share(one.present + one.absent, one.known) }}<td>{{ one.present }}
<td>{{ one.absent }}
{% endfor %}
</table>
{% endif %}
{% if report.copies %}
<h2>{{ report.copies | length }} groups of near copies</h2>
<p>Those with most differing labels first; up to {{ groups }} are shown.
<div class=cards>
{% for group in report.copies[:groups] %}
<div class="card copies">{% for path in group.images[:4] %}{{ image(path) }}{% endfor %}
<div>{% for path in group.images[:4] %}
{{ group.splits[loop.index0] }}: {{ name_of(path) }}<br>{% endfor %}
{% if group.images | length > 4 %}and {{ group.images | length - 4 }} more<br>
{% endif %}
{% if group.differing %}
<b>labels differ: {{ group.differing | join(", ") }}</b>{% endif %}
</div></div>
{% endfor %}
</div>
{% endif %}
{% if report.exclusive_sets %}
<h2>Exclusive sets</h2>
<table><tr><th>split<th>set<th>none present<th>one<th>several
{% for one in report.exclusive_sets %}
<tr><td>{{ one.split }}<td>{{ one.members | join(", ") }}
{% for n in (one.none, one.one, one.several) %}<td>{{ share(n, one.images) }}
{% endfor %}
{% endfor %}
</table>
{% endif %}
{% if report.label_vectors %}
<h2>Labels of whole images</h2>
{% for one in report.label_vectors %}
<p>{{ one.split }}: {{ share(one.seen, one.images) }} of {{ "{:,}".format(one.images) }}
images are labelled, in all attributes at once, as an image of training is. Distinct
combinations: {{ "{:,}".format(one.distinct) }}, in training
{{ "{:,}".format(one.training) }}.
{% endfor %}
{% endif %}
"""
"""Suspects, near copies, exclusive sets and label vectors."""


def html_report(title: str, report: DatasetReport) -> str:
    """The whole page: figures, issues with images, positive ratios as bars.

    Names and messages are escaped; images are small and inside the page.
    """
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(dict(page=_PAGE, x_ray=_X_RAY)),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template("page").render(
        title=title,
        report=report,
        counts=", ".join(f"{name} {n:,}" for name, n in report.counts.items()),
        sizes=list(zip(("Width", "Height"), report.sizes or ())),
        shown=_SHOWN,
        suspects=_SUSPECTS,
        groups=_GROUPS,
        said=SAID,
        thumbnail=jpeg_thumbnail,
        name_of=lambda path: path.rpartition("/")[2],
    )
