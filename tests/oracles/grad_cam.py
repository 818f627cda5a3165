"""Grad-CAM and Grad-CAM-P by finite differences and loops over pixels."""

import itertools
import math

import torch


def class_activation(logits_from, features, attribute, eps=1e-6):
    """relu(sum_c alpha_c A_c), (B, h, w); ``logits_from(features)`` gives (B, A)."""
    total = torch.zeros_like(features[:, 0])
    height, width = features.shape[2:]
    for c in range(features.shape[1]):
        shift = torch.zeros_like(features)
        shift[:, c] = eps
        # All pixels of the channel at once: the sum of the pixels' derivatives.
        up, down = (
            logits_from(features + s)[:, attribute].detach() for s in (shift, -shift)
        )
        alpha = (up - down) / (2 * eps) / (height * width)
        total += alpha[:, None, None] * features[:, c].detach()
    return total.clamp(min=0)


def contributions(logits_from, features, eps=1e-6):
    """relu(sum_c dy / dA_cij A_cij) of all logits, (B, A, h, w), pixel by pixel."""
    total = 0
    for c, row, column in itertools.product(*map(range, features.shape[1:])):
        shift = torch.zeros_like(features)
        shift[:, c, row, column] = eps
        up, down = (logits_from(features + s).detach() for s in (shift, -shift))
        gradient = (up - down) / (2 * eps)
        added = torch.zeros(*gradient.shape, *features.shape[2:], dtype=up.dtype)
        added[:, :, row, column] = gradient * features[:, c, row, column, None].detach()
        total = total + added
    return total.clamp(min=0)


def upsampled(cells, height, width, stride, first_row=0):
    """Bilinear, fading out beyond the outermost cells; (h, w) to (H, W).

    Cell i has its centre on pixel ``stride i``, as in nets of padded convolutions; the
    rows are those of a larger map from ``first_row`` on.
    """
    out = torch.zeros(height, width, dtype=cells.dtype)
    values = cells.tolist()
    for row in range(height):
        for column in range(width):
            y, y_kept = _clamped(row / stride - first_row, len(values))
            x, x_kept = _clamped(column / stride, len(values[0]))
            for r, row_share in _neighbours(y, len(values)):
                for c, column_share in _neighbours(x, len(values[0])):
                    share = row_share * column_share * y_kept * x_kept
                    out[row, column] += share * values[r][c]
    return out


def splatted(response, points, weights, height, width):
    """Every sampling point's share to the four pixels around it; (h, w) to (H, W)."""
    out = torch.zeros(height, width, dtype=response.dtype)
    for k, i, j in torch.cartesian_prod(*map(torch.arange, weights.shape)).tolist():
        x, y = (float(v) for v in points[k, i, j])
        amount = float(response[i, j] * weights[k, i, j])
        for r in (math.floor(y), math.floor(y) + 1):
            for c in (math.floor(x), math.floor(x) + 1):
                if 0 <= r < height and 0 <= c < width:
                    out[r, c] += amount * (1 - abs(y - r)) * (1 - abs(x - c))
    return out


def _clamped(place, size):
    """A place within the map, and how much of its value is left there."""
    inside = min(max(place, 0), size - 1)
    beyond = abs(place - inside)
    return inside, 1 if beyond <= 0.5 else max(0, 1 - 2 * (beyond - 0.5))


def _neighbours(position, size):
    first = math.floor(position)
    share = position - first
    return ((first, 1 - share), (min(first + 1, size - 1), share))
