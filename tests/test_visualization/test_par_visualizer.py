"""The visualizer shows what PackPARInputs hands to the model, and what comes back."""

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmpretrain.structures import DataSample
from PIL import Image

from mmpar.engine import PARVisualizationHook
from mmpar.registry import HOOKS, TRANSFORMS, VISUALIZERS
from mmpar.structures import AttributeSchema
from mmpar.visualization import PARVisualizer, image_grid, par_visualizer, to_rgb_image
from mmpar.visualization.par_visualizer import _draw_image, _Sample, _sample_lines

SCHEMA = AttributeSchema(
    ("Hat", "Female", "Boots", "Age"), {"head": ("Hat",), "foot": ("Boots",)}
)
BLUE_BGR = (255, 0, 0)
NOWHERE = [np.nan] * 4
YELLOW, MAGENTA, GREEN = (255, 230, 0), (255, 0, 255), (0, 224, 0)


def packed(*steps, labels=(1, -1, 1, 0), **more):
    """An image of 60 x 40 with a blue hat at (6, 4) to (16, 10), after ``steps``."""
    image = np.zeros((60, 40, 3), np.uint8)
    image[4:10, 6:16] = BLUE_BGR
    keypoints = np.zeros((17, 3), np.float32)
    keypoints[:3] = [11, 7, 1], [1, 1, 0], [30, 50, 1]
    results = dict(
        img=image,
        img_shape=(60, 40),
        img_path="folder/one.jpg",
        sample_idx=7,
        gt_score=np.array(labels, np.float32),
        gt_bboxes=np.array([[6, 4, 16, 10], *[NOWHERE] * 3], np.float32),
        gt_keypoints=keypoints[None],
        **more,
    )
    for step in (*steps, dict(type="PackPARInputs")):
        results = TRANSFORMS.build(step)(results)
    return results


def predicted(scores=(0.9, 0.8, 0.1, 0.7), **kwargs):
    sample = packed(**kwargs)["data_samples"]
    scores = torch.tensor(scores)
    return sample.set_pred_score(scores).set_pred_label((scores > 0.5).nonzero()[:, 0])


def visualizer(**kwargs):
    made = PARVisualizer(**kwargs)
    made.dataset_meta = dict(schema=SCHEMA.to_dict())
    return made


def extent(image, color):
    """Smallest x and y, one past the largest x and y, of the pixels of a colour."""
    rows, columns = np.nonzero((image == color).all(axis=2))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def texts(sample):
    lines = _sample_lines(_Sample(sample, SCHEMA, True, True))
    return ["".join(text for text, _ in line) for line in lines]


FLIP = dict(type="RandomFlip", prob=1.0, direction="horizontal")
CROP = dict(type="RandomCrop", crop_size=(52, 30), padding=3)
SCALE = dict(type="Resize", scale=(80, 120))
LARGE_CROP = dict(CROP, crop_size=(120, 78))


@pytest.mark.parametrize("steps", [(), (FLIP,), (CROP,), (SCALE, FLIP, LARGE_CROP)])
def test_box_and_keypoint_are_where_the_model_sees_the_hat(steps):
    np.random.seed(1)
    data = packed(*steps)
    image = to_rgb_image(data["inputs"], "one.jpg")
    sample = _Sample(data["data_samples"], SCHEMA, True, True)
    rows, columns = np.nonzero(image[..., 2] > 127)  # Resize blurs the edge
    hat = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert sample.true_boxes[0] == pytest.approx(hat)
    x, y = sample.keypoints[0, :2]
    assert image[int(y), int(x)].tolist() == [0, 0, 255]
    assert len(sample.keypoints) == 2  # without the missing one

    drawn = _draw_image(image, sample)
    scale = drawn.shape[0] // image.shape[0]
    assert drawn.shape == (image.shape[0] * scale, image.shape[1] * scale, 3)
    box = extent(drawn, (0xD6, 0x27, 0x28))  # the first group's colour
    assert box == pytest.approx([edge * scale for edge in hat], abs=1)
    assert (drawn[int(y * scale), int(x * scale)] == YELLOW).all()


def test_keypoints_that_are_missing_are_not_drawn():
    data = packed()
    image = np.zeros((256, 160, 3), np.uint8)
    data["data_samples"].gt_keypoints[..., 2] = 0
    data["data_samples"].gt_attribute_boxes[:] = float("nan")
    sample = _Sample(data["data_samples"], SCHEMA, True, True)
    assert (_draw_image(image, sample) == image).all()


def test_an_image_is_rgb_and_exact_and_grey_stays_grey():
    inputs = packed()["inputs"]
    image = to_rgb_image(inputs, "one.jpg")
    assert image.shape == (60, 40, 3)
    assert (image[..., ::-1].transpose(2, 0, 1) == inputs.numpy()).all()
    grey = to_rgb_image(torch.full((1, 4, 5), 9.0), "one.jpg")
    assert (grey == np.full((4, 5, 3), 9)).all()


def test_true_attributes_have_a_line_each_and_unknown_ones_are_counted():
    assert texts(packed()["data_samples"]) == [
        "7: one.jpg",
        "■ Hat",
        "■ Boots",
        "1 labels unknown",
    ]
    sample = packed(labels=(0, 1, 0, 1), domain="PETA")["data_samples"]
    assert texts(sample) == ["7: one.jpg (PETA)", "■ Female", "■ Age"]
    sample = packed(labels=(0, 0, 0, 0))["data_samples"]
    assert texts(sample)[1] == "no attribute present or predicted"


def test_errors_of_predictions_are_marked():
    assert texts(predicted())[1:] == [
        "■ ✓ Hat 0.90",
        "■ ? Female 0.80 (label unknown)",
        "■ ✗ Boots 0.10 (missed)",
        "■ ✗ Age 0.70 (false positive)",
        "1 labels unknown",
    ]
    sample = predicted()
    for name in ("gt_score", "gt_attribute_boxes", "gt_keypoints"):
        sample.pop(name)
    assert texts(sample)[1:] == ["Hat 0.90", "Female 0.80", "Age 0.70"]


def test_a_line_has_the_colour_of_its_box():
    lines = _sample_lines(_Sample(packed()["data_samples"], SCHEMA, True, True))
    assert lines[1][0] == ("■ ", "#d62728")
    assert lines[2][0][1] not in ("#d62728", "black")


def test_what_is_not_to_be_drawn_is_not_drawn():
    image = np.zeros((60, 40, 3), np.uint8)
    drawn = {
        (gt, pred): visualizer().add_datasample(
            "x", image, predicted(), draw_gt=gt, draw_pred=pred
        )
        for gt in (False, True)
        for pred in (False, True)
    }
    assert (drawn[False, True][:, :170] != YELLOW).any(axis=2).all()
    assert len({array.tobytes() for array in drawn.values()}) == 4


@pytest.mark.parametrize("with_maps", [True, False])
def test_an_explained_sample_has_a_panel_per_attribute(with_maps):
    sample = predicted()
    if with_maps:
        maps = torch.zeros(4, 60, 40)
        maps[0, 4:10, 6:16] = 1
        sample.set_field(maps, "pred_attribute_maps")
    else:
        boxes = sample.gt_attribute_boxes.clone()
        boxes[0, 2] += 1
        sample.set_field(boxes, "pred_attribute_boxes")
    image = np.full((60, 40, 3), 90, np.uint8)
    plain = visualizer().add_datasample("x", image, predicted())
    every = visualizer().add_datasample("x", image, sample)
    one = visualizer().add_datasample("x", image, sample, attributes=[0])
    assert plain.shape[1] < one.shape[1] < every.shape[1]
    panel = one[: 4 + 60 * 4, plain.shape[1] :]
    left, top, right, bottom = extent(panel, MAGENTA)
    assert (right - left, bottom - top) == ((40, 24) if with_maps else (44, 24))


def test_a_box_that_is_not_found_is_not_drawn():
    sample = predicted()
    sample.set_field(torch.zeros(4, 60, 40), "pred_attribute_maps")
    image = np.full((60, 40, 3), 90, np.uint8)
    drawn = visualizer().add_datasample("x", image, sample, attributes=[1])
    assert (drawn[:240] != MAGENTA).any(axis=2).all()


def test_text_is_whole_and_beside_the_image():
    name = "W" * 60
    schema = AttributeSchema((name,))
    made = visualizer()
    made.dataset_meta = dict(schema=schema.to_dict())
    sample = DataSample()
    sample.set_field(torch.ones(1), "gt_score")
    image = np.full((256, 100, 3), 200, np.uint8)
    drawn = made.add_datasample("x", image, sample)
    assert (drawn[4:260, 4:104] == 200).all()
    ink = (drawn[:, 108:] < 128).all(axis=2).any(axis=0)
    widest = par_visualizer._text_block([[(name, "black")]]).shape[1]
    assert np.flatnonzero(ink).max() >= widest - 8
    assert not ink[-4:].any()


def test_large_images_shrink_and_small_ones_are_enlarged_by_whole_numbers():
    sample = DataSample()
    sample.set_field(torch.zeros(4), "gt_score")
    for height, drawn in [(10, 260), (128, 256), (200, 200), (512, 512), (2000, 256)]:
        image = np.zeros((height, 10, 3), np.uint8)
        assert _draw_image(image, _Sample(sample, SCHEMA, True, True)).shape[0] == drawn


def test_a_grid_has_room_for_the_largest_image():
    images = [np.full((10 + n, 20 - n, 3), n, np.uint8) for n in range(5)]
    grid = image_grid(images, columns=2)
    assert grid.shape == (3 * 18 + 4, 2 * 24 + 4, 3)
    assert (grid[4:14, 4:24] == 0).all()
    assert (grid[-4:] == 255).all()


@pytest.mark.parametrize(
    ("inputs", "match"),
    [
        (torch.full((3, 4, 5), -0.5), r"one\.jpg.*data_preprocessor"),
        (torch.zeros(1, 3, 60, 40), r"one\.jpg.*\(1, 3, 60, 40\)"),
    ],
)
def test_what_is_not_an_image_is_refused(inputs, match):
    with pytest.raises(ValueError, match=match):
        to_rgb_image(inputs, "one.jpg")


def test_what_does_not_fit_the_schema_is_refused():
    made = visualizer()
    image = np.zeros((60, 40, 3), np.uint8)
    made.dataset_meta = dict(schema=dict(names=["Hat"]))
    with pytest.raises(ValueError, match=r"gt_score of folder/one\.jpg is for 4"):
        made.add_datasample("x", image, packed()["data_samples"])
    made.dataset_meta = None
    with pytest.raises(ValueError, match="set its dataset_meta"):
        made.add_datasample("x", image, packed()["data_samples"])
    with pytest.raises(ValueError, match=r"float64 of shape \(60, 40, 3\); expected"):
        visualizer().add_datasample("x", image / 1.0, packed()["data_samples"])


class Runner:
    """What the hook needs of one."""

    iter = 12

    def __init__(self, made):
        self.visualizer = made


def run_epoch(hook, runner, batches=((0, 1), (2, 3), (4,))):
    hook.before_val_epoch(runner)
    for number, batch in enumerate(batches):
        data = dict(inputs=[packed()["inputs"] for _ in batch])
        hook.after_val_iter(runner, number, data, [predicted() for _ in batch])


def test_the_hook_hands_every_nth_sample_to_the_backends(tmp_path):
    init_default_scope("mmpar")
    backends = [dict(type="LocalVisBackend")]
    runner = Runner(visualizer(vis_backends=backends, save_dir=str(tmp_path)))
    run_epoch(PARVisualizationHook(), runner)
    assert not list(tmp_path.rglob("*.png"))
    hook = HOOKS.build(dict(type="PARVisualizationHook", enable=True, interval=3))
    for _ in range(2):  # counts anew
        run_epoch(hook, runner)
    paths = sorted(tmp_path.rglob("*.png"))
    assert [path.name for path in paths] == ["val_0_one_12.png", "val_3_one_12.png"]
    pixels = np.asarray(Image.open(paths[0]).convert("RGB"))
    assert (pixels[4 + 34, 4 + 56] == (0, 0, 255)).all()  # the hat is blue, in RGB


def test_the_hook_writes_a_folder_instead_and_refuses_an_interval_below_1(tmp_path):
    hook = PARVisualizationHook(enable=True, interval=4, out_dir=str(tmp_path / "new"))
    run_epoch(hook, Runner(visualizer()))
    assert len(list((tmp_path / "new").glob("*.png"))) == 2
    with pytest.raises(ValueError, match="1 or more samples, got 0"):
        PARVisualizationHook(interval=0)


def test_tensorboard_gets_the_drawings(tmp_path):
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    )
    init_default_scope("mmpar")
    made = visualizer(
        vis_backends=[dict(type="TensorboardVisBackend")], save_dir=str(tmp_path)
    )
    run_epoch(PARVisualizationHook(enable=True), Runner(made))
    made.close()
    events = accumulator.EventAccumulator(str(tmp_path / "vis_data"))
    assert events.Reload().Tags()["images"] == ["val_0_one"]


def test_it_is_registered():
    assert VISUALIZERS.get("PARVisualizer") is PARVisualizer
