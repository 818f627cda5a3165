"""Zones of the body follow from keypoints, or are unknown."""

import math

import numpy as np
import pytest

from mmpar.structures.body_zones import ZONES, body_zones, zones_of_attributes
from mmpar.structures.keypoints import COCO_KEYPOINTS

WIDTH, HEIGHT = 48, 120


def slow_zones(points, width, height):
    """One zone after the other, from points by name; None for a missing one."""

    def line(joint):
        sides = [points[f"{side}_{joint}"] for side in ("left", "right")]
        known = [point[1] for point in sides if point is not None]
        return sum(known) / len(known) if known else None

    shoulder, hip, knee, ankle = map(line, ("shoulder", "hip", "knee", "ankle"))
    zones = dict.fromkeys(ZONES)
    if shoulder is None or hip is None or hip <= shoulder:
        return zones
    torso = hip - shoulder
    zones["head"] = (shoulder - torso, shoulder)
    zones["upper"] = (shoulder, hip)
    if ankle is not None and ankle > hip:
        zones["lower"] = (hip, ankle)
    if None not in (knee, ankle) and ankle > knee:
        zones["foot"] = (knee, ankle + (ankle - knee) / 2)
    columns = [point[0] for point in points.values() if point is not None]
    left = max(min(columns) - torso / 4, 0)
    right = min(max(columns) + torso / 4, width)
    for name, rows in zones.items():
        if rows is not None:
            top, bottom = max(rows[0], 0), min(rows[1], height)
            zones[name] = (left, top, right, bottom) if top < bottom else None
    return zones


@pytest.mark.parametrize("missing", [0, 0.2, 0.5, 1])
def test_zones_are_those_worked_out_one_by_one(missing):
    rng = np.random.default_rng(0)
    found_any = 0
    for _ in range(200):
        keypoints = np.ones((17, 3))
        keypoints[:, 0] = rng.uniform(0, WIDTH, 17)
        # Most persons stand; some lines are out of order.
        keypoints[:, 1] = np.linspace(5, 115, 17) + rng.normal(0, 12, 17)
        keypoints[rng.random(17) < missing] = 0
        points = {
            name: tuple(point[:2]) if point[2] else None
            for name, point in zip(COCO_KEYPOINTS, keypoints)
        }
        expected = slow_zones(points, WIDTH, HEIGHT)
        found = body_zones(keypoints, WIDTH, HEIGHT)
        for name, zone in zip(ZONES, found):
            if expected[name] is None:
                assert np.isnan(zone).all()
            else:
                assert zone == pytest.approx(expected[name], abs=1e-9)
                found_any += 1
    assert found_any > 0 or missing == 1


def test_zones_from_head_to_feet_follow_each_other():
    keypoints = np.zeros((17, 3))
    for name, y in dict(shoulder=30, hip=60, knee=85, ankle=110).items():
        for side, x in dict(left=30, right=18).items():
            keypoints[COCO_KEYPOINTS.index(f"{side}_{name}")] = (x, y, 1)
    rows = body_zones(keypoints, WIDTH, HEIGHT)[:, [1, 3]].tolist()
    assert rows == [[0, 30], [30, 60], [60, 110], [85, 120]]


def test_an_attribute_has_the_zone_of_its_group():
    groups = dict(head=("hat",), foot=("boots",), bag=("rucksack",))
    names = ("boots", "rucksack", "hat", "young")
    assert zones_of_attributes(names, groups).tolist() == [3, -1, 0, -1]


def test_without_keypoints_nothing_is_known():
    assert all(math.isnan(v) for v in body_zones(np.zeros((17, 3)), 8, 16).flat)
