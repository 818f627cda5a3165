"""Agreement beyond chance, counted image by image."""

import itertools

import numpy as np
import pytest

from mmpar.evaluation.functional import cohen_kappa


def counted(one, other):
    """Cohen's kappa from counts of the four pairs of answers."""
    pairs = [(bool(a), bool(b)) for a, b in zip(one, other)]
    agreed = by_chance = 0.0
    for answer in (False, True):
        agreed += pairs.count((answer, answer)) / len(pairs)
        ours = sum(a == answer for a, _ in pairs) / len(pairs)
        by_chance += ours * sum(b == answer for _, b in pairs) / len(pairs)
    return (agreed - by_chance) / (1 - by_chance)


@pytest.mark.filterwarnings("error")
def test_kappa_is_counted_where_both_give_both_answers_and_undefined_elsewhere():
    answers = [np.array(one) for one in itertools.product((False, True), repeat=4)]
    for one, other in itertools.product(answers, repeat=2):
        found = cohen_kappa(one, other)
        if len(set(one.tolist())) == len(set(other.tolist())) == 2:
            assert found == pytest.approx(counted(one, other), abs=1e-12)
        else:
            assert np.isnan(found)
