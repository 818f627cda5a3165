"""Boxes from maps, IoU and the pointing game as loops over pixels and cells."""

import numpy as np


def brute_force_box(response, threshold):
    """Flood fill of the pixels from the threshold on; the largest part's outline."""
    height, width = response.shape
    strong = response >= threshold * response.max()
    best, seen = [], set()
    for start in zip(*np.nonzero(strong)):
        part, waiting = [], [start]
        while waiting:
            row, column = waiting.pop()
            inside = 0 <= row < height and 0 <= column < width
            if not inside or (row, column) in seen or not strong[row, column]:
                continue
            seen.add((row, column))
            part.append((row, column))
            waiting += [(row + 1, column), (row - 1, column)]
            waiting += [(row, column + 1), (row, column - 1)]
        best = max(best, part, key=len)
    rows, columns = zip(*best)
    return [min(columns), min(rows), max(columns) + 1, max(rows) + 1]


def localization_loops(truth, boxes, points):
    """Loops over samples and sets of cells; boxes with whole edges."""
    columns = []
    for a in range(truth.shape[1]):
        ious, hits = [], []
        for true, box, point in zip(truth[:, a], boxes[:, a], points[:, a]):
            if np.isnan(true).any():
                continue
            iou = 0.0
            if not np.isnan(box).any() and _cells(true) | _cells(box):
                both = _cells(true) & _cells(box)
                iou = len(both) / len(_cells(true) | _cells(box))
            ious.append(iou)
            hits.append(
                true[0] <= point[0] <= true[2] and true[1] <= point[1] <= true[3]
            )
        if ious:
            over = [[iou > limit for iou in ious] for limit in (0.3, 0.5)]
            columns.append((len(ious), *map(np.mean, (ious, *over, hits))))
        else:
            columns.append((0, *[np.nan] * 4))
    return np.array(columns).T


def _cells(box):
    """Unit cells of a box with whole edges."""
    x1, y1, x2, y2 = (int(v) for v in box)
    return {(x, y) for x in range(x1, x2) for y in range(y1, y2)}
