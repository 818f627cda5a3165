"""Does hiding the box of an explanation hurt the answer more than hiding as much else?

python tools/analysis_tools/check_explanations.py CONFIG CHECKPOINT \
    --explainer grad-cam-p
"""

import argparse

import numpy as np
import torch
from mmengine.logging import MMLogger

import mmpar  # noqa: F401  checks the installation, secures checkpoint loading
from mmpar.engine import (
    build_runner,
    explainer_arguments,
    explainer_config,
    load_to_explain,
)
from mmpar.evaluation.functional import box_of_map
from mmpar.evaluation.tables import text_table
from mmpar.explain import BoxExplainer, Explainer, MaskingCheck


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = explainer_arguments(__doc__)
    parser.add_argument("--num", type=int, default=300, help="pictures of the split")
    parser.add_argument("--seed", type=int, default=0, help="places of other boxes")
    return parser.parse_args()


def predicted_boxes(
    explainer: Explainer, inputs: torch.Tensor, samples: list, threshold: float
) -> np.ndarray:
    """Boxes ``(B, A, 4)`` of a batch, found as the localization metric finds them."""
    found = explainer(inputs, None, samples).float().cpu().numpy()
    if isinstance(explainer, BoxExplainer):
        return found
    return np.stack([[box_of_map(one, threshold) for one in maps] for maps in found])


def check(runner, explainer: Explainer, args: argparse.Namespace) -> MaskingCheck:
    """Compare for the attributes that are present and predicted, on ``args.num``."""
    model, result = explainer.model, MaskingCheck(explainer.model, args.seed)
    left = args.num
    for batch in runner.test_dataloader:
        data = model.data_preprocessor(batch, False)
        inputs, samples = data["inputs"][:left], data["data_samples"][:left]
        left -= len(samples)
        with torch.no_grad():
            positive = model(inputs, samples, mode="tensor") > 0
        boxes = predicted_boxes(explainer, inputs, samples, args.threshold)
        for row, sample in enumerate(samples):
            judged = (sample.gt_score == 1) & positive[row]
            kept = judged.nonzero()[:, 0].tolist()
            result.add(inputs[row], {i: boxes[row, i] for i in kept}, sample)
        if left == 0:
            break
    return result


def report(result: MaskingCheck, names: tuple[str, ...]) -> str:
    """A row an attribute."""
    rows = [["attribute", "compared", "box costs more", "drop, box", "drop, other"]]
    drops = np.array(result.drops).reshape(-1, 3)
    for index in [*np.unique(drops[:, 0]).astype(int), None]:
        own = drops if index is None else drops[drops[:, 0] == index]
        name = "all" if index is None else names[index]
        share = 100 * result.share(None if index is None else [index])
        means = [f"{value:.2f}" for value in own[:, 1:].mean(axis=0)]
        rows.append([name, str(len(own)), f"{share:.1f} %", *means])
    return text_table(rows)


def main() -> None:
    """Check and print."""
    args = parse_args()
    runner = build_runner(explainer_config(args))
    load_to_explain(runner)
    explainer = runner.test_loop.explainer
    result = check(runner, explainer, args)
    logger = MMLogger.get_current_instance()
    logger.info("\n%s", report(result, explainer.model.head.schema.names))
    logger.info(
        "not compared: %d boxes too large for another of their size beside them, %d "
        "answers that the explainer found no box for",
        result.without_place,
        result.without_box,
    )


if __name__ == "__main__":
    main()
