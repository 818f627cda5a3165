"""What the command line lists by hand is what there is."""

from mmpar import explain
from mmpar.datasets.sources import readable_classes
from mmpar.evaluation.functional import DEFAULT_THRESHOLD
from mmpar.utils.cli import DATASET_CLASSES, EXPLAINERS_BY_NAME, explainer_arguments


def test_the_dataset_classes_are_all_that_read_a_release_or_a_list():
    assert list(DATASET_CLASSES) == sorted(readable_classes())


def test_every_explainer_has_a_name():
    named = {config["type"] for config in EXPLAINERS_BY_NAME.values()}
    bases = {"Explainer", "BoxExplainer", "MapExplainer"}
    classes = {name for name in explain.__all__ if hasattr(explain, name)}
    there = {
        name
        for name in classes
        if isinstance(getattr(explain, name), type)
        and issubclass(getattr(explain, name), explain.Explainer)
    }
    assert named == there - bases


def test_the_threshold_of_a_map_is_that_of_the_metric():
    args = explainer_arguments("").parse_args(["config.py", "checkpoint.pth"])
    assert args.threshold == DEFAULT_THRESHOLD
