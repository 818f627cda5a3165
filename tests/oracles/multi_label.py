"""The metrics as plain loops over images and attributes, in float64."""

from __future__ import annotations

import numpy as np


def ratio(numerator: float, denominator: float) -> float:
    """The official rule: nothing over nothing is nothing."""
    return numerator / denominator if denominator else 0.0


def f1(precision: float, recall: float) -> float:
    return ratio(2 * precision * recall, precision + recall)


def oracle(scores, labels, threshold, empty_attribute):
    """dict of the six means, and the five per-attribute lists."""
    num_images, num_attributes = labels.shape
    thresholds = np.broadcast_to(np.asarray(threshold, float), num_attributes)
    table = []
    for a in range(num_attributes):
        tp = fp = tn = fn = 0
        for n in range(num_images):
            if labels[n, a] == -1:
                continue
            positive = float(scores[n, a]) > thresholds[a]
            if labels[n, a] == 1:
                tp, fn = tp + positive, fn + (not positive)
            else:
                fp, tn = fp + positive, tn + (not positive)
        tpr, tnr = ratio(tp, tp + fn), ratio(tn, tn + fp)
        empty = tp + fn == 0 or tn + fp == 0
        precision = ratio(tp, tp + fp)
        table.append((tpr, tnr, (tpr + tnr) / 2, f1(precision, tpr), empty))
    used = [row for row in table if empty_attribute == "official" or not row[4]]

    accuracies, precisions, recalls = [], [], []
    for n in range(num_images):
        if all(labels[n] == -1):
            continue
        truth = {a for a in range(num_attributes) if labels[n, a] == 1}
        predicted = {
            a
            for a in range(num_attributes)
            if labels[n, a] != -1 and float(scores[n, a]) > thresholds[a]
        }
        both = len(truth & predicted)
        accuracies.append(ratio(both, len(truth | predicted)))
        precisions.append(ratio(both, len(predicted)))
        recalls.append(ratio(both, len(truth)))

    def mean(values):
        return sum(values) / len(values) if values else float("nan")

    precision, recall = mean(precisions), mean(recalls)
    return dict(
        mean_accuracy=mean([row[2] for row in used]),
        instance_accuracy=mean(accuracies),
        instance_precision=precision,
        instance_recall=recall,
        instance_f1=f1(precision, recall) if precisions else float("nan"),
        label_f1=mean([row[3] for row in used]),
        positive_recall=[row[0] for row in table],
        negative_recall=[row[1] for row in table],
        attribute_accuracy=[row[2] for row in table],
        attribute_f1=[row[3] for row in table],
    )
