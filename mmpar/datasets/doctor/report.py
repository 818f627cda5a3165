"""The doctor's report: one HTML file that needs no other."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator

import cv2
import mmcv
import numpy as np
from mmengine import fileio

from mmpar.datasets.doctor.examination import Examination
from mmpar.datasets.doctor.findings import Finding
from mmpar.utils.image_headers import require_size_within_limit

_SHOWN = 8
_HEIGHT = 128
_STYLE = (
    "body{font:15px system-ui;margin:2em;max-width:70em}"
    "table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:left}"
    ".bar{background:#48a;height:.8em}.fault{color:#b00}img{margin:2px}"
)


def html_report(title: str, examination: Examination) -> str:
    """The whole page: figures, findings with pictures, positive ratios as bars."""
    parts = [
        f"<!doctype html><meta charset=utf-8><title>{html.escape(title)}</title>",
        f"<style>{_STYLE}</style><h1>{html.escape(title)}</h1>",
        *_figures(examination),
        f"<h2>{len(examination.faults)} faults</h2>",
    ]
    for finding in examination.findings:
        parts += _finding(finding)
    parts += _bars(examination)
    return "\n".join(parts)


def _figures(examination: Examination) -> Iterator[str]:
    counts = ", ".join(f"{name} {n:,}" for name, n in examination.counts.items())
    yield f"<p>Pictures: {html.escape(counts)}</p>"
    if examination.sizes:
        for name, three in zip(("Width", "Height"), examination.sizes):
            low, middle, high = three
            yield f"<p>{name}: {low} to {high} pixels, median {middle}</p>"


def _finding(finding: Finding) -> Iterator[str]:
    kind = "fault" if finding.is_fault else "note"
    yield (
        f"<h3 class={kind}>{html.escape(finding.check)} ({html.escape(finding.where)})"
        f"</h3><p>{html.escape(finding.message)}</p>"
    )
    for path in finding.pictures[:_SHOWN]:
        yield _picture(path)
    if finding.pictures:
        names = "<br>".join(html.escape(path) for path in finding.pictures)
        yield f"<details><summary>paths</summary>{names}</details>"


def _picture(path: str) -> str:
    """The picture, small, inside the page; nothing where it cannot be read."""
    try:
        content = fileio.get(path)
        if not all(require_size_within_limit(content, path)):
            return ""
        image = mmcv.imfrombytes(content)
        width = max(1, round(image.shape[1] * _HEIGHT / image.shape[0]))
        small = cv2.imencode(".jpg", cv2.resize(image, (width, _HEIGHT)))[1]
    except Exception:  # it is in the report because it is broken
        return ""
    encoded = base64.b64encode(small.tobytes()).decode()
    return f'<img title="{html.escape(path)}" src="data:image/jpeg;base64,{encoded}">'


def _bars(examination: Examination) -> Iterator[str]:
    yield "<h2>Positive ratios</h2><table><tr><th>"
    yield "".join(f"<th>{html.escape(name)}" for name in examination.ratios)
    for i, attribute in enumerate(examination.attributes):
        yield f"<tr><td>{html.escape(attribute)}"
        for ratios in examination.ratios.values():
            share = 0.0 if np.isnan(ratios[i]) else float(ratios[i])
            text = "unknown" if np.isnan(ratios[i]) else f"{share:.2%}"
            bar = f'<div class=bar style="width:{200 * share:.0f}px"></div>'
            yield f"<td>{text}{bar}"
    yield "</table>"
