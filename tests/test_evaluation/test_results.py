"""What functions of the evaluation measured."""

from dataclasses import FrozenInstanceError, fields, is_dataclass

import pytest

from mmpar.evaluation import functional

RESULTS = [kind for kind in vars(functional).values() if is_dataclass(kind)]


@pytest.mark.parametrize("kind", RESULTS)
def test_what_was_measured_cannot_be_changed(kind):
    result = object.__new__(kind)
    for field in fields(kind):
        with pytest.raises(FrozenInstanceError):
            setattr(result, field.name, 0)
