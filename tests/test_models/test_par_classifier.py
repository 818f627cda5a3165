"""PARClassifier brings keypoints from the data samples to where PLE looks."""

import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.models import ImageClassifier
from mmpretrain.structures import DataSample
from torch import nn

from mmpar.models import PARClassifier, SSPNetHead, SSPNetNeck
from mmpar.registry import MODELS
from tests.test_models.test_sspnet import REGIONS, ROWS, SCHEMA

HEIGHT, WIDTH = 64, 32
BACKBONE = dict(type="mmpretrain.ResNet", depth=18, out_indices=(0, 1, 2, 3))


KEYPOINT_REGIONS = {
    **REGIONS,
    "head": dict(REGIONS["head"], keypoints=("nose", "left_ear")),
}


def build(ple="KeypointPLE", regions=KEYPOINT_REGIONS, schema=None, scale="fixed"):
    config = dict(
        type="PARClassifier",
        data_preprocessor=dict(type="mmpretrain.ClsDataPreprocessor"),
        backbone=BACKBONE,
        neck=dict(
            type="SSPNetNeck",
            in_channels=(64, 128, 256, 512),
            out_channels=8,
            ple=dict(type=ple),
            scale=dict(mode=scale),
        ),
        head=dict(
            type="SSPNetHead",
            schema=schema or SCHEMA.to_dict(),
            in_channels=8,
        ),
        regions=regions,
    )
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmpar"):
        model = MODELS.build(config).eval()
    model.head.set_positive_ratio([0.5] * len(model.head.schema))
    return model


def inputs():
    generator = torch.Generator().manual_seed(1)
    return torch.randn((2, 3, HEIGHT, WIDTH), generator=generator)


def samples(*, lead=(1,), visibility=2.0):
    generator = torch.Generator().manual_seed(2)
    out = []
    for i in range(2):
        points = torch.rand((17, 3), generator=generator)
        points *= torch.tensor((WIDTH, HEIGHT, 0.0))
        points[:, 2] = visibility
        sample = DataSample(metainfo=dict(img_path=f"{i}.png"))
        sample.set_field(points.reshape(*lead, 17, 3), "gt_keypoints")
        sample.set_gt_score(torch.ones(8))
        out.append(sample)
    return out


def test_every_way_in_reads_the_keypoints():
    model, x = build(), inputs()
    logits = model(x, samples())
    scores = [s.pred_score for s in model(x, samples(), mode="predict")]
    torch.testing.assert_close(torch.stack(scores), logits.sigmoid())
    loss = model(x, samples(), mode="loss")["loss"]
    expected = model.head._get_loss(logits, samples())["loss"]
    torch.testing.assert_close(loss, expected)
    assert (model(x, samples(visibility=0.0)) - logits).abs().max() > 1e-3


def test_a_person_axis_does_not_matter():
    model, x = build(), inputs()
    assert torch.equal(model(x, samples()), model(x, samples(lead=())))


@pytest.mark.parametrize("cells", ["traced", "equal"])
def test_ple_looks_around_the_keypoints_in_the_image(cells):
    model, x = build(), inputs()
    model.cells = cells
    given = []
    model.neck.ple.register_forward_pre_hook(lambda _, args: given.append(args[1]))
    model(x, samples())
    pixels = torch.stack([s.gt_keypoints[0, :, :2] for s in samples()])
    strides = dict(head=4, torso=8, bottom=8, whole=16)
    assert len(given) == len(model.neck.regions)
    for region, found in zip(model.neck.regions, given):
        stride = strides[region.name]
        # ResNet's cell i looks at pixel stride * i, the middle of its cell beside.
        first = 0.5 if cells == "traced" else stride / 2
        expected = (pixels[:, list(region.keypoint_indices)] - first) / stride
        expected[..., 1] -= ROWS[HEIGHT, WIDTH][region.name][0]
        torch.testing.assert_close(found[..., :2], expected)


def test_unknown_conventions_of_cells_are_refused():
    with pytest.raises(ValueError, match=r"'traced', 'equal'.*'half'"):
        PARClassifier(BACKBONE, cells="half")


@pytest.mark.parametrize("ple", ["BlockPLE", "IdentityPLE"])
def test_points_of_every_position_cover_the_region(ple):
    model = build(ple)
    if ple == "BlockPLE":
        torch.nn.init.zeros_(model.neck.ple.offset.weight)
    stages = model.extract_feat(inputs(), "backbone")
    torso = model.neck.sampling_points(stages)["torso"]
    xs, ys = torso.points[0, 0].unbind(-1)  # a map of 8 x 4, rows 1 to 5
    torch.testing.assert_close(xs[0], torch.arange(4.0))
    torch.testing.assert_close(ys[:, 0], torch.arange(4.0))


def test_other_forms_are_as_in_mmpretrains_classifier():
    model = build("BlockPLE")
    other = ImageClassifier(model.backbone, model.neck, model.head)
    x = inputs()
    assert torch.equal(model(x), other(x))
    assert torch.equal(model(x, samples()), other(x))
    for stage in ("backbone", "neck"):
        ours, theirs = (one.extract_feat(x, stage) for one in (model, other))
        if stage == "neck":
            assert list(ours) == list(theirs) == list(REGIONS)
            ours, theirs = ours.values(), theirs.values()
        assert all(torch.equal(a, b) for a, b in zip(ours, theirs))


def test_a_sample_without_keypoints_is_named():
    model, broken = build(), samples()
    del broken[1].gt_keypoints
    with pytest.raises(ValueError, match=r"1\.png has no gt_keypoints.*add_keypoints"):
        model(inputs(), broken, mode="loss")


def test_images_alone_are_an_error_when_keypoints_are_read():
    with pytest.raises(ValueError, match=r"without data samples.*ple\.type=BlockPLE"):
        build()(inputs())


def test_keypoints_of_another_shape_are_an_error():
    model = build()
    with pytest.raises(ValueError, match=r"0\.png have the shape \(2, 17, 3\)"):
        model(inputs(), _two_persons())


def _two_persons():
    out = samples()
    for sample in out:
        sample.set_field(sample.gt_keypoints.repeat(2, 1, 1), "gt_keypoints")
    return out


def test_other_regions_of_neck_and_head_are_an_error():
    renamed = {name.upper(): fields for name, fields in REGIONS.items()}
    with pytest.raises(ValueError, match=r"the neck \{'HEAD': .*the head \{'head': "):
        of_modules(renamed)
    moved = {**REGIONS, "head": dict(REGIONS["head"], rows=(0.0, 0.5))}
    with pytest.raises(
        ValueError, match=r"the neck .*'head': \(0\.0, 0\.5\), .*the head "
    ):
        of_modules(moved)


@pytest.mark.parametrize("part", ["neck", "head"])
def test_regions_in_neck_or_head_say_where_they_are_given(part):
    parts = dict(neck=dict(type="SSPNetNeck"), head=dict(type="SSPNetHead"))
    parts[part]["regions"] = REGIONS
    with pytest.raises(
        ValueError, match=rf"model\.{part}\.regions; .*model=dict\(regions=dict"
    ):
        PARClassifier(backbone=nn.Identity(), **parts)


def test_regions_of_a_neck_that_is_already_built_are_an_error():
    with pytest.raises(ValueError, match="given as configs; got Identity and dict"):
        PARClassifier(nn.Identity(), nn.Identity(), dict(), regions=REGIONS)


def test_the_order_of_the_regions_has_no_meaning():
    reordered = {name: REGIONS[name] for name in ("torso", "head", "bottom", "whole")}
    plain, other = build("BlockPLE"), build("BlockPLE", reordered)
    x = inputs()
    assert torch.equal(plain(x), other(x))


def test_a_region_without_an_attribute_is_not_read_and_the_log_says_so(log):
    own = dict(names=["Slip", "Helmet"], groups=dict(lower=["Slip"], head=["Helmet"]))
    model = build("BlockPLE", schema=own, scale="learned")
    for name in ("torso", "whole"):
        assert f"Region '{name}' is not read: none of the 2" in log.text
    assert log.text.count("is not read") == 2
    assert "groups ('upper',)" in log.text
    assert "it reads what the other regions do not" in log.text
    assert [region.name for region in model.head.idle_regions] == ["torso", "whole"]
    assert list(model.neck(model.backbone(inputs()))) == ["head", "bottom"]
    assert list(model.neck.scale_selection.regions) == ["head", "bottom"]
    model.train()
    model(inputs(), labelled(2), mode="loss")["loss"].backward()
    unused = [n for n, p in model.named_parameters() if p.grad is None]
    assert unused == []


def labelled(num_attributes):
    return [DataSample().set_gt_score(torch.ones(num_attributes)) for _ in range(2)]


def test_the_neck_need_not_know_the_groups_nor_the_head_the_levels():
    bare = {
        name: dict(rows=list(fields["rows"]), level=1)
        for name, fields in REGIONS.items()
    }
    model = of_modules(bare)
    assert model(inputs()).shape == (2, 8)


def of_modules(neck_regions):
    """A classifier of modules, the neck's regions other than the head's."""
    with DefaultScope.overwrite_default_scope("mmpar"):
        backbone = MODELS.build(BACKBONE)
        return PARClassifier(
            backbone,
            SSPNetNeck((64, 128, 256, 512), neck_regions, 8),
            SSPNetHead(SCHEMA, REGIONS, 8),
            data_preprocessor=dict(type="mmpretrain.ClsDataPreprocessor"),
        )


def test_it_trains_under_autocast():
    model = build().train()
    with torch.autocast("cpu", torch.bfloat16):
        loss = model(inputs(), samples(), mode="loss")["loss"]
    loss.backward()
    assert loss.isfinite()
    for name, parameter in model.neck.ple.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    assert model.neck.ple.projection.weight.grad.any()
