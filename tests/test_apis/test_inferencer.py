"""The inferencer answers as a test of the same checkpoint does, from any input."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from PIL import Image

from mmpar import PARInferencer
from mmpar.apis import inferencer as inferencer_module
from mmpar.apis.explaining import explain_to_files
from mmpar.registry import DATASETS

METHODS = ("linear", "sspnet", "alm")


@pytest.fixture(scope="module")
def dataset():
    """Six drawn persons, as a test of the shipped configs sees them."""
    cfg = Config.fromfile("configs/_base_/datasets/synthetic.py")
    options = dict(num_samples=6, schema="pa100k", test_mode=True)
    with DefaultScope.overwrite_default_scope("mmpar"):
        built = DATASETS.build({**cfg.test_dataloader.dataset, **options})
        built.full_init()
    return built


@pytest.fixture(scope="module")
def crops(dataset, tmp_path_factory):
    """The same persons as files."""
    folder = tmp_path_factory.mktemp("crops")
    draw = dataset.pipeline.transforms[0]
    for index in range(len(dataset)):
        drawn = draw(dataset.get_data_info(index))["img"]
        Image.fromarray(drawn[..., ::-1]).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="module", params=METHODS)
def inferencer(request, trained_work_dir):
    return PARInferencer(trained_work_dir(request.param), "cpu", batch_size=4)


def scores(results):
    return np.array([[*result.scores.values()] for result in results])


def test_it_scores_as_a_test_of_the_checkpoint_does(inferencer, dataset, crops):
    batch = pseudo_collate([dataset[index] for index in range(len(dataset))])
    with torch.no_grad():
        tested = inferencer.predictor.model.test_step(batch)
    results = inferencer(crops)
    expected = np.stack([sample.pred_score.numpy() for sample in tested])
    assert scores(results) == pytest.approx(expected, abs=1e-6)
    assert [result.img_path for result in results] == [
        str(crops / f"{index}.png") for index in range(6)
    ]


def test_files_arrays_and_pil_images_give_the_same_answers(inferencer, crops):
    files = sorted(crops.iterdir())
    images = [Image.open(file) for file in files]
    rgb = [np.asarray(image) for image in images]
    bgr = [np.ascontiguousarray(image[..., ::-1]) for image in rgb]
    tensors = [torch.tensor(image).permute(2, 0, 1) for image in bgr]
    expected = scores(inferencer(files))
    for given, options in (
        (images, {}),
        (bgr, {}),
        (rgb, dict(rgb=True)),
        (tensors, dict(batch_size=2)),
        (str(crops / "*.png"), {}),
    ):
        assert scores(inferencer(given, **options)) == pytest.approx(expected, abs=1e-6)


def test_a_box_answers_for_its_part_of_the_image(inferencer, crops):
    image = np.asarray(Image.open(crops / "0.png"))[..., ::-1]
    box = (10, 20, 60, 150)
    part = np.ascontiguousarray(image[20:150, 10:60])
    expected = scores(inferencer(part))
    assert scores(inferencer(image, [box])) == pytest.approx(expected, abs=1e-6)


def test_explanations_lie_in_the_crop_and_leave_the_scores(inferencer, crops):
    plain = inferencer(crops)
    explained = list(inferencer.explain(crops, ["Hat", "boots"]))
    assert scores(explained) == pytest.approx(scores(plain), abs=1e-6)
    for result in explained:
        assert {*result.boxes} <= {"Hat", "boots"}
        height, width = result.image.shape[:2]
        for x1, y1, x2, y2 in result.boxes.values():
            assert -1e-3 <= x1 < x2 <= width + 1e-3
            assert -1e-3 <= y1 < y2 <= height + 1e-3
    assert any(result.boxes for result in explained)


def test_explained_images_are_written_as_one_file_a_folder_or_a_page(
    inferencer, crops, tmp_path
):
    (tmp_path / "broken.png").write_text("no image")
    given = [crops, tmp_path / "broken.png"]
    assert explain_to_files(inferencer, given, tmp_path / "drawn") == (6, 1)
    assert len([*(tmp_path / "drawn").glob("0000?_?.png")]) == 6
    assert explain_to_files(inferencer, given, tmp_path / "page.html") == (6, 1)
    page = (tmp_path / "page.html").read_text()
    assert page.count("data:image/png;base64,") == 6
    assert "broken.png" in page
    one = crops / "0.png"
    assert explain_to_files(inferencer, one, tmp_path / "a.png", ["Hat"]) == (1, 0)
    assert Image.open(tmp_path / "a.png").size[0] > 200
    with pytest.raises(ValueError, match="holds one person, but there are 7"):
        explain_to_files(inferencer, given, tmp_path / "b.png")
    with pytest.raises(ValueError, match="not a readable image"):
        explain_to_files(inferencer, tmp_path / "broken.png", tmp_path / "b.png")
    with pytest.raises(ValueError, match="no attributes"):
        explain_to_files(inferencer, one, tmp_path / "b.png", ["Hut"])


def test_coarser_precisions_stay_near(trained_work_dir, crops):
    work_dir = trained_work_dir("linear")
    exact = scores(PARInferencer(work_dir, "cpu")(crops))
    coarse = scores(PARInferencer(work_dir, "cpu", precision="bf16")(crops))
    assert 0 < abs(coarse - exact).max() < 0.02
    with pytest.raises(ValueError, match="precision is 'int8'; choose one of fp32"):
        PARInferencer(work_dir, precision="int8")
    with pytest.raises(ValueError, match=r"bfloat16 on meta .*leave precision out"):
        PARInferencer(work_dir, "meta", precision="bf16")  # as MPS before torch 2.5


def test_a_long_list_has_a_progress_bar_and_a_short_one_none(
    trained_work_dir, crops, monkeypatch
):
    work_dir, files = trained_work_dir("linear"), sorted(crops.iterdir())
    tracked = []

    def track(results, *args, **kwargs):
        tracked.append(kwargs["console"].stderr)
        return results

    monkeypatch.setattr(inferencer_module, "track", track)
    for batch_size, show in ((1, True), (6, True), (1, False)):
        inferencer = PARInferencer(
            work_dir, "cpu", batch_size=batch_size, show_progress=show
        )
        assert len(inferencer(files)) == 6
    assert tracked == [True]


@pytest.mark.parametrize(
    "options", [dict(device="cuda"), dict(precision="bf16"), dict(compile=True)]
)
def test_an_exported_model_takes_no_options_of_torch(options):
    with pytest.raises(ValueError, match=r"exported model .* runs on the CPU"):
        PARInferencer("model.onnx", **options)


def test_a_name_is_what_was_trained_under_it(trained_work_dir, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"no weights of sspnet_r18_synthetic are pub"):
        PARInferencer("sspnet_r18_synthetic")
    with pytest.raises(ValueError, match="did you mean sspnet_r18_synthetic"):
        PARInferencer("sspnet_r18_syntetic")
    (tmp_path / "work_dirs").mkdir()
    trained = trained_work_dir("sspnet")
    (tmp_path / "work_dirs" / "sspnet_r18_synthetic").symlink_to(trained)
    named = PARInferencer("sspnet_r18_synthetic", "cpu").card
    assert named == PARInferencer(trained, "cpu").card
    assert "sspnet_r18_synthetic" in PARInferencer.list_models("sspnet_r18*")
