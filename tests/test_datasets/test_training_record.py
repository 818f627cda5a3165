"""What a checkpoint says about the data it was trained on."""

import numpy as np
import pytest
from mmengine.dataset import ConcatDataset, RepeatDataset
from torch.utils.data import Dataset, Subset

from mmpar.datasets import JointDataset, SyntheticPAR
from mmpar.datasets.training_record import record_data


def drawn(num_samples=4, split="train", seed=0):
    return SyntheticPAR(num_samples=num_samples, split=split, seed=seed)


def test_the_record_changes_with_every_label_name_and_image():
    record = record_data(drawn())
    assert record == record_data(drawn())
    others = [drawn(5), drawn(split="val"), drawn(seed=1), drawn(), drawn()]
    others[3].full_init()
    others[3].table.labels[0, 0] ^= 1
    others[4]._metainfo["schema"] = dict(names=["Woman", *drawn().schema.names[1:]])
    found = {record_data(other)["labels_sha256"] for other in others}
    assert len({record["labels_sha256"], *found}) == 6


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        (drawn(), ("SyntheticPAR", "train", 4, 4)),
        (RepeatDataset(drawn(), 3), ("SyntheticPAR", "train", 4, 4)),
        (Subset(drawn(), [0, 0, 2]), ("SyntheticPAR", "train", 2, 2)),
        (
            Subset(ConcatDataset([drawn(), drawn(3, "val")]), [1, 4, 5]),
            ("SyntheticPAR+SyntheticPAR", "train+val", 3, 3),
        ),
        (
            JointDataset([drawn(), drawn(2)]),
            ("SyntheticPAR+SyntheticPAR", "train", 6, 6),
        ),
    ],
)
def test_what_wraps_a_dataset_is_looked_through(dataset, expected):
    record = record_data(dataset)
    fields = ("dataset", "split", "num_images", "num_persons")
    assert tuple(record[field] for field in fields) == expected


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([1, 1, 2, 0], 3),
        ([1, 1, 2, -1], None),
        (["a", "a", "b", "b"], 2),
        (["a", "a", "b", ""], None),
    ],
)
def test_persons_are_counted_where_all_are_known(column, expected):
    dataset = drawn()
    dataset.full_init()
    dataset.table = dataset.table.with_column("person_id", np.array(column))
    assert record_data(dataset)["num_persons"] == expected


def test_another_dataset_does_not_say_what_it_holds():
    with pytest.raises(TypeError, match="Foreign"):
        record_data(Foreign())


class Foreign(Dataset):
    def __len__(self):
        return 1
