"""A student learns labels and the scores of a teacher."""

import copy
import logging
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.structures import DataSample

from mmpar.engine import DistillationHook
from mmpar.models import WeightedBCELoss
from mmpar.registry import MODELS
from mmpar.structures import SchemaMismatchError
from tests.test_tools.run import REPOSITORY, run_tool

CONFIG = REPOSITORY / "configs/baseline/baseline_r18_synthetic.py"
SIZES = ("train_dataloader.dataset.num_samples=8", "train_dataloader.num_workers=0")
SIZES += ("train_dataloader.batch_size=4", "train_cfg.max_epochs=1")


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    """A model of random weights, and the file of them."""
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmpar"):
        model = MODELS.build(Config.fromfile(CONFIG).model)
    torch.nn.init.normal_(model.head.classifier.weight, std=0.1)
    path = tmp_path_factory.mktemp("teacher") / "teacher.pth"
    torch.save(dict(state_dict=model.state_dict()), path)
    return model.eval(), str(path)


@pytest.fixture(autouse=True)
def mmpar_scope():
    """Names are resolved as the Runner does."""
    with DefaultScope.overwrite_default_scope("mmpar"):
        yield


def runner_of(changes=()):
    cfg = Config.fromfile(CONFIG)
    cfg.merge_from_dict(dict(changes))
    model = MODELS.build(cfg.model)
    return SimpleNamespace(cfg=cfg, model=model, logger=logging.getLogger("test"))


def batch():
    generator = torch.Generator().manual_seed(1)
    images = [
        torch.randint(0, 256, (3, 128, 64), generator=generator, dtype=torch.uint8)
        for _ in range(3)
    ]
    labels = torch.randint(-1, 2, (3, 26), generator=generator).float()
    samples = [DataSample().set_gt_score(row) for row in labels]
    return dict(inputs=images, data_samples=samples), labels


def test_labels_are_mixed_with_the_scores_on_the_very_images(teacher):
    model, path = teacher
    hook = DistillationHook(str(CONFIG), path, share=0.3)
    runner = runner_of()
    hook.before_train(runner)
    data, labels = batch()
    images = copy.deepcopy(data["inputs"])
    hook.before_train_iter(runner, 0, data)
    with torch.no_grad():
        scores = [one.pred_score for one in model.test_step(batch()[0])]
    for sample, label, score in zip(data["data_samples"], labels, scores):
        for found, y, p in zip(sample.gt_score, label, score):
            expected = p if y < 0 else 0.7 * y + 0.3 * p
            assert found.item() == pytest.approx(expected.item(), abs=1e-6)
        assert "pred_score" not in sample
    assert all(map(torch.equal, data["inputs"], images))
    assert all("teacher" not in name for name in runner.model.state_dict())
    hook.after_train(runner)
    assert hook.teacher is None


def test_the_loss_of_mixed_labels_is_the_mixture_of_both_losses():
    generator = torch.Generator().manual_seed(2)
    logits = torch.randn(4, 5, dtype=torch.float64, generator=generator)
    label = torch.randint(0, 2, (4, 5), generator=generator).double()
    score = torch.rand(4, 5, dtype=torch.float64, generator=generator)
    mixed = DistillationHook("", "", share=0.4)._mix(label, score)
    loss = WeightedBCELoss(weighting=None)
    ratios = torch.full((5,), 0.5)
    of_label, of_score = (loss(logits, one, ratios) for one in (label, score))
    torch.testing.assert_close(
        loss(logits, mixed, ratios), 0.6 * of_label + 0.4 * of_score
    )


def test_a_weighted_loss_weighs_both_as_the_mixed_label():
    label = torch.tensor([[1.0, 1.0, 0.0]], dtype=torch.float64)
    score = torch.tensor([[0.3, 0.1, 0.9]], dtype=torch.float64)
    logits = torch.tensor([[0.2, -1.0, 0.5]], dtype=torch.float64)
    mixed = DistillationHook("", "", share=0.7)._mix(label, score)
    ratio, rare = torch.full((3,), 0.1).double(), torch.tensor(0.1).double()
    weights = [(1 - rare).exp() if one > 0.5 else rare.exp() for one in mixed[0]]
    plain = torch.nn.functional.binary_cross_entropy_with_logits
    expected = sum(
        weight * (0.3 * plain(logit, y) + 0.7 * plain(logit, p))
        for weight, logit, y, p in zip(weights, logits[0], label[0], score[0])
    )
    torch.testing.assert_close(WeightedBCELoss()(logits, mixed, ratio), expected)


def test_an_attribute_without_a_known_label_has_the_teachers_ratio(teacher):
    hook = DistillationHook("baseline_r18_synthetic", teacher[1])
    runner = runner_of()
    hook.before_train(runner)
    hook.teacher.head.set_positive_ratio([0.2] * 26)
    runner.model.head.set_positive_ratio([float("nan")] + [0.6] * 25)
    hook.before_train_epoch(runner)
    found = runner.model.head.positive_ratio.tolist()
    assert found == pytest.approx([0.2] + [0.6] * 25)


@pytest.mark.parametrize("share", [0, 1.1])
def test_a_share_that_is_none_is_an_error(share):
    with pytest.raises(ValueError, match="share"):
        DistillationHook("config.py", "file.pth", share)


def test_a_teacher_of_other_images_or_attributes_is_refused(teacher, tmp_path):
    _, path = teacher
    hook = DistillationHook(str(CONFIG), path)
    with pytest.raises(ValueError, match=r"\(64, 128\).*\(96, 128\)"):
        hook.before_train(runner_of({"image_size": (96, 128)}))
    with pytest.raises(ValueError, match="exclusive_softmax"):
        hook.before_train(runner_of({"model.head.exclusive_softmax": True}))
    focal = dict(type="MultiLabelLoss", loss=dict(type="mmpretrain.FocalLoss"))
    focal = {"model.head.loss": dict(focal, _delete_=True)}
    with pytest.raises(ValueError, match=r"MultiLabelLoss.*not linear"):
        hook.before_train(runner_of(focal))
    other = DistillationHook("sspnet_r18_synthetic", path)
    with pytest.raises(
        ValueError, match=r"teacher's checkpoint .* does not fit the model"
    ):
        other.before_train(runner_of())
    with pytest.raises(SchemaMismatchError, match=r"the student.*the teacher"):
        hook.before_train(runner_of({"model.head.schema": "peta"}))


def test_a_run_with_a_teacher_saves_the_student_alone(teacher, tmp_path):
    _, path = teacher
    child = tmp_path / "student.py"
    child.write_text(
        f"_base_ = {str(CONFIG)!r}\n"
        "default_hooks = dict(distillation=dict(type='DistillationHook', "
        f"config={str(CONFIG)!r}, checkpoint={path!r}))\n"
    )
    for config in (child, CONFIG):
        output = run_tool(
            "train.py", config, "--no-validate", "--cfg-options", *SIZES, cwd=tmp_path
        )
        assert ("Distillation: 50%" in output) is (config is child)
    student, alone = (
        torch.load(tmp_path / f"work_dirs/{name}/epoch_1.pth")["state_dict"]
        for name in ("student", "baseline_r18_synthetic")
    )
    assert list(student) == list(alone)
    name = "head.classifier.weight"
    assert not torch.equal(student[name], alone[name])
