"""What the command line lists by hand is what there is."""

from mmpar import explain
from mmpar.datasets.sources import readable_classes
from mmpar.evaluation.functional import DEFAULT_THRESHOLD
from mmpar.registry import EXPLAINERS
from mmpar.utils.cli import DATASET_CLASSES, explainer_arguments


def test_the_dataset_classes_are_all_that_read_a_release_or_a_list():
    assert list(DATASET_CLASSES) == sorted(readable_classes())


def test_the_help_names_every_explainer():
    EXPLAINERS.get("GradCAM")  # imports them
    text = explainer_arguments("").format_help()
    assert {name for name in EXPLAINERS.module_dict if name in text} >= {
        name for name in explain.__all__ if name in EXPLAINERS.module_dict
    }


def test_the_threshold_of_a_map_is_that_of_the_metric():
    args = explainer_arguments("").parse_args(["config.py", "checkpoint.pth"])
    assert args.threshold == DEFAULT_THRESHOLD
