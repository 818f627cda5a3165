"""The doctor's report: one HTML file that needs no other."""

from __future__ import annotations

import base64

import cv2
import jinja2
import mmcv
from mmengine import fileio

from mmpar.datasets.doctor.dataset_report import DatasetReport
from mmpar.utils.image_headers import require_size_within_limit

_SHOWN = 8
_SUSPECTS = 200
_GROUPS = 60
_HEIGHT = 128
_PAGE = """\
<!doctype html><meta charset=utf-8><title>{{ title }}</title>
<style>
body{font:15px system-ui;margin:2em;max-width:70em}
table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:left}
.bar{background:#48a;height:.8em}.error{color:#b00}.warning{color:#a60}img{margin:2px}
.cards{display:flex;flex-wrap:wrap;gap:1em}.card{width:15em;display:flex;gap:.6em}
.card>div{min-width:0;overflow-wrap:anywhere;font-size:85%}
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
{% if report.x_ray %}{% set found = report.x_ray %}
<h2>{{ "{:,}".format(found.suspects | length) }} suspected label errors</h2>
<p>Predicted without having been trained on: {% for name, n in found.covered.items() %}\
{{ "" if loop.first else ", " }}{{ "{:,}".format(n) }} of \
{{ "{:,}".format(report.counts[name]) }} {{ name }} images{% endfor %}. The most doubtful \
are shown first{% if found.suspects | length > shown_suspects %}, the first \
{{ shown_suspects }} of them{% endif %}.</p>
<div class=cards>
{% for one in found.suspects[:shown_suspects] %}<div class=card>\
<img title="{{ one.image }}" alt="" src="data:image/jpeg;base64,{{ thumbnail(one.image) }}">
<div><b>{{ one.attribute }}</b><br>labelled <b>{{ said[one.given] }}</b>, model \
{{ "{:.0%}".format(one.probability) }} present<br>{{ one.split }}: \
{{ one.image.split("/")[-1] }}{% for why in one.reasons %}<br>{{ why }}{% endfor %}\
</div></div>
{% endfor %}
</div>
<h3>By attribute</h3>
<table><tr><th>attribute<th>known labels<th>suspects<th>labelled present\
<th>labelled absent

{% for one in found.counts %}
<tr><td>{{ one.attribute }}<td>{{ "{:,}".format(one.known) }}\
<td>{{ "{:.2%}".format(one.share) }}<td>{{ one.present }}<td>{{ one.absent }}

{% endfor %}
</table>
{% endif %}
{% if report.copies %}
<h2>{{ report.copies | length }} groups of near copies</h2>
<p>Those whose labels differ most come first{% if report.copies | length > shown_groups %}\
, and {{ shown_groups }} are shown{% endif %}.</p>
<div class=cards>
{% for group in report.copies[:shown_groups] %}<div class=card style="width:auto">\
{% for path in group.images[:4] %}\
<img title="{{ path }}" alt="" src="data:image/jpeg;base64,{{ thumbnail(path) }}">\
{% endfor %}
<div style="max-width:15em">{% for path in group.images[:4] %}{{ group.splits[loop.index0] }}: \
{{ path.split("/")[-1] }}<br>{% endfor %}\
{% if group.images | length > 4 %}and {{ group.images | length - 4 }} more<br>{% endif %}\
{% if group.differing %}<b>labels differ: {{ group.differing | join(", ") }}</b>{% endif %}\
</div></div>
{% endfor %}
</div>
{% endif %}
{% if report.exclusive_sets %}
<h2>Exclusive sets</h2>
<table><tr><th>split<th>set<th>none present<th>one<th>several

{% for one in report.exclusive_sets %}
<tr><td>{{ one.split }}<td>{{ one.members | join(", ") }}\
{% for n in (one.none, one.one, one.several) %}
<td>{{ "{:,}".format(n) }} ({{ "{:.1%}".format(n / [one.images, 1] | max) }}){% endfor %}

{% endfor %}
</table>
{% endif %}
{% if report.label_vectors %}
<h2>Labels of whole images</h2>
{% for one in report.label_vectors %}
<p>{{ one.split }}: {{ "{:,}".format(one.seen) }} of {{ "{:,}".format(one.images) }} \
images ({{ "{:.1%}".format(one.seen / [one.images, 1] | max) }}) have labels that, all \
together, an image of training has. {{ "{:,}".format(one.distinct) }} combinations there, \
{{ "{:,}".format(one.training) }} in training.</p>
{% endfor %}
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
        shown_suspects=_SUSPECTS,
        shown_groups=_GROUPS,
        said=("absent", "present"),
        thumbnail=_thumbnail,
    )


def _thumbnail(path: str) -> str:
    """The image, small, as JPEG in base64; nothing where it cannot be read."""
    try:
        content = fileio.get(path)
        if not all(require_size_within_limit(content, path)):
            return ""
        image = mmcv.imfrombytes(content)
        width = max(1, round(image.shape[1] * _HEIGHT / image.shape[0]))
        small = cv2.imencode(".jpg", cv2.resize(image, (width, _HEIGHT)))[1]
    except Exception:  # it is in the report because it is broken
        return ""
    return base64.b64encode(small.tobytes()).decode()
