"""browse_dataset.py draws what a config's pipeline makes of its dataset."""

import numpy as np
import pytest
from PIL import Image

from tests.test_tools.run import REPOSITORY, call_tool, options, run_tool

TOOL = "analysis_tools/browse_dataset.py"
CONFIG = REPOSITORY / "configs/sspnet/sspnet_r18_synthetic.py"
FEW = options(
    "train_dataloader.dataset.num_samples=30", "val_dataloader.dataset.num_samples=5"
)


def browse(folder, *arguments):
    return run_tool(TOOL, CONFIG, *arguments, *FEW, cwd=folder)


def test_sheet_has_the_expected_size_and_depends_on_the_seed_only(tmp_path):
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        said = browse(tmp_path, "--num", 10, "--seed", seed, "--out", f"{name}.png")
        assert f"10 of 30 samples in {name}.png" in said
    first, again, other = (
        np.asarray(Image.open(tmp_path / f"{name}.png"))
        for name in ("first", "again", "other")
    )
    assert (first == again).all()
    assert first.shape != other.shape or (first != other).any()
    # Images of 64 x 128 at twice their size, with text beside them, eight per row.
    height, width = first.shape[:2]
    assert width > 8 * (128 + 60)
    assert height // 2 in range(256, 300)


def test_many_samples_go_on_pages(tmp_path):
    said = browse(tmp_path, "--split", "val", "--num", 9, "--per-page", 2)
    pages = [f"sspnet_r18_synthetic_val_{page}.png" for page in (1, 2, 3)]
    assert [line for line in said.splitlines() if ".png" in line] == [
        f"{n} of 5 samples in {page}" for n, page in zip((2, 2, 1), pages)
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == pages


@pytest.mark.parametrize("option", ["--num", "--per-page"])
def test_nothing_to_draw_is_refused(tmp_path, option):
    status, output = call_tool(TOOL, CONFIG, option, 0, cwd=tmp_path)
    assert status == 2
    assert f"{option} is 1 or more" in output


def test_a_list_is_drawn_without_a_config(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 20, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    (tmp_path / "night.csv").write_text("path,Hat\na.png,1\n")
    source = ("AttributeListDataset", ".", "--ann-file", "night.csv")
    said = run_tool(TOOL, *source, cwd=tmp_path)
    assert "1 of 1 samples in AttributeListDataset_night.png" in said


def test_arguments_of_a_folder_do_not_go_with_a_config(tmp_path):
    status, output = call_tool(TOOL, CONFIG, "--ann-file", "a.csv", cwd=tmp_path)
    assert status == 2
    assert "--ann-file and the like go with DATASET SRC" in output
