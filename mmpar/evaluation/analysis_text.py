"""An analysis in words for a terminal."""

from __future__ import annotations

from mmpar.evaluation.analysis import SMALL_GROUP, Analysis
from mmpar.evaluation.functional import Interval
from mmpar.evaluation.result_record import record_lines
from mmpar.evaluation.tables import text_table


def analysis_text(analysis: Analysis) -> str:
    """Tables of the means, the attributes and the groups, and what must be known."""
    metrics = list(analysis.attributes[0].metrics)
    attributes = [["attribute", "known", "positives", *metrics]]
    for row in analysis.attributes:
        values = [str(one) for one in row.metrics.values()]
        attributes.append([row.name, str(row.known), str(row.positives), *values])
    summary = [[name, str(one)] for name, one in analysis.summary.items()]
    parts = [
        text_table(attributes),
        text_table([["%, with its 95 % interval", "value"], *summary]),
        *(_groups_table(analysis) if analysis.groupings else ()),
        *analysis.notes,
        f"{analysis.images} images of {analysis.persons} persons; intervals hold 95 % "
        f"of {analysis.rounds} draws of persons",
        *record_lines(analysis.record),
    ]
    return "\n".join(parts)


def _groups_table(analysis: Analysis) -> list[str]:
    rows = [["group", "images", "persons", "mA", "gap", "instance F1", "gap"]]
    for grouping in analysis.groupings:
        rows.append([f"by {grouping.title}:", *[""] * 6])
        for group in grouping.groups:
            cells = [f"  {group.name}{' (small)' if group.is_small else ''}"]
            cells += [str(group.images), str(group.persons)]
            for name in ("mA", "instance F1"):
                cells += [str(group.metrics[name]), _gap_text(group.gaps[name])]
            rows.append(cells)
    explained = (
        "gap: the group minus the others; ~0: its interval holds 0, so no difference "
        f"is shown; small: fewer than {SMALL_GROUP} persons in it or the others, so "
        "intervals are too narrow"
    )
    return [text_table(rows), explained]


def _gap_text(gap: Interval) -> str:
    return f"{gap} ~0" if gap.holds_zero else str(gap)
