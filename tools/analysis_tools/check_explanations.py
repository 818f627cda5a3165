"""Does hiding the box of an explanation hurt the answer more than hiding as much else?

python tools/analysis_tools/check_explanations.py CONFIG CHECKPOINT \
    --explainer grad-cam-p
"""

import argparse
from itertools import chain

from mmpar.utils.cli import explainer_arguments


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = explainer_arguments(__doc__)
    parser.add_argument("--num", type=int, default=300, help="pictures of the split")
    parser.add_argument("--seed", type=int, default=0, help="places of other boxes")
    args = parser.parse_args()
    if args.num < 1:
        parser.error(f"--num is at least 1, got {args.num}")
    return args


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

import numpy as np
import torch
from mmengine.logging import MMLogger

from mmpar.engine import (
    build_runner,
    explainer_config,
    load_to_explain,
)
from mmpar.evaluation.functional import box_of_map
from mmpar.evaluation.tables import text_table
from mmpar.explain import (
    BoxExplainer,
    Comparison,
    Explainer,
    MaskingCheck,
    RegionBoxes,
    has_regions,
)


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
    read_from = RegionBoxes(model) if has_regions(model) else None
    left = args.num
    for batch in runner.test_dataloader:
        data = model.data_preprocessor(batch, False)
        inputs, samples = data["inputs"][:left], data["data_samples"][:left]
        left -= len(samples)
        with torch.no_grad():
            positive = model(inputs, samples, mode="tensor") > 0
        boxes = predicted_boxes(explainer, inputs, samples, args.threshold)
        bands = None
        if read_from is not None:
            # The same for all pictures.
            bands = dict(enumerate(read_from(inputs, None, samples)[0].cpu().numpy()))
        for row, sample in enumerate(samples):
            judged = (sample.gt_score == 1) & positive[row]
            kept = judged.nonzero()[:, 0].tolist()
            result.add(inputs[row], {i: boxes[row, i] for i in kept}, sample, bands)
        if left == 0:
            break
    return result


def comparisons(result: MaskingCheck, banded: bool) -> dict[str, Comparison]:
    """What the boxes were compared with, in words."""
    if not banded:
        return {"box": result.in_picture, "random box": result.reference}
    return {
        "box": result.in_picture,
        "box, other in band": result.in_band,
        "random box of band": result.reference,
    }


def report(compared: dict[str, Comparison], names: tuple[str, ...]) -> str:
    """A row an attribute: how many were compared, and which share cost more."""
    header = [cell for name in compared for cell in ("compared", name)]
    rows = [["attribute", *header]]
    columns = list(compared.values())
    for index in sorted({drop[1] for drop in columns[0].drops}):
        cells = [_share(column.costs_more(index)) for column in columns]
        rows.append([names[index], *chain(*cells)])
    rows.append(["all", *chain(*(_share(column.costs_more()) for column in columns))])
    pictures = [_share(column.costs_more_by_picture()) for column in columns]
    rows.append(["pictures, in the mean", *chain(*pictures)])
    return text_table(rows)


def _share(costs_more: np.ndarray) -> tuple[str, str]:
    share = f"{100 * costs_more.mean():.1f} %" if len(costs_more) else "-"
    return str(len(costs_more)), share


def main(args: argparse.Namespace) -> None:
    """Check and print."""
    runner = build_runner(explainer_config(args, "check_explanations"))
    load_to_explain(runner)
    explainer = runner.test_loop.explainer
    result = check(runner, explainer, args)
    banded = has_regions(explainer.model)
    compared = comparisons(result, banded)
    logger = MMLogger.get_current_instance()
    logger.info(
        "share of boxes that cost more than another of their size elsewhere\n%s",
        report(compared, explainer.model.head.schema.names),
    )
    logger.info(
        "not compared: %d boxes too large for another of their size beside them, %d "
        "answers that the explainer found no box for",
        result.in_picture.without_place,
        result.without_box,
    )
    if banded:
        logger.info(
            "of the rest %d boxes have no other place in the band; for %d no random "
            "place in it can be compared",
            result.in_band.without_place,
            result.reference.without_place,
        )


if __name__ == "__main__":
    main(ARGS)
