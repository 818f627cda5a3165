"""One of two gloo processes that evaluate together; prints the metrics as JSON."""

import json
import sys

import torch.distributed as dist
from mmengine.dataset import DefaultSampler

from mmpar.evaluation import AttributeLocalizationMetric, PARMetric
from tests.test_evaluation import test_localization_metric, test_par_metric

JUDGED = (
    (PARMetric, test_par_metric.samples_of_domains),
    (AttributeLocalizationMetric, test_localization_metric.samples),
)


def main(round_up: str) -> None:
    """Evaluate this process's shares and print the common results."""
    dist.init_process_group("gloo")
    metrics = {}
    for build, samples in JUDGED:
        data = samples()
        sampler = DefaultSampler(data, shuffle=False, round_up=bool(int(round_up)))
        share = [data[i] for i in sampler]
        metrics |= test_par_metric.evaluate(build(), share, len(data))
    print(json.dumps(metrics))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
