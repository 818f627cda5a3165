"""Which level suits a region, by the accuracy of its attributes."""

import numpy as np
import pytest

from mmpar.evaluation.functional import best_levels, region_accuracies

LABELS = np.array([[1, 0, 1, 1], [1, 0, 0, 1], [0, 0, 0, 0], [0, -1, 1, -1]])
DECISIONS = np.array([[1, 1, 1, 0], [0, 0, 0, 1], [0, 1, 1, 0], [0, 0, 0, 0]], bool)


def test_regions_are_scored_by_the_mean_accuracy_of_their_attributes():
    """The second attribute is never present, so it says nothing."""
    found = region_accuracies(DECISIONS, LABELS, dict(head=(0, 1), torso=(2, 3)))
    # 0: 1 of 2 present and 2 of 2 absent; 2: 1 of 2, 1 of 2; 3: 1 of 2, 1 of 1.
    np.testing.assert_allclose(found, [0.75, (0.5 + 0.75) / 2])


def test_a_region_of_which_nothing_is_known_is_an_error():
    with pytest.raises(ValueError, match="no attribute of region 'head'"):
        region_accuracies(DECISIONS, LABELS, dict(head=(1,)))


def test_of_equal_levels_the_coarsest_is_taken():
    accuracies = np.array([[0.5, 0.7, 0.6], [0.5, 0.7, 0.7], [0.9, 0.9, 0.1]])
    assert best_levels(accuracies) == [2, 3, 2]
