"""A dataset without a val split trains by a fixed schedule and is tested once."""

import pytest

from tests.fixtures.identity_attributes import REAL_FILES, copy_real, write_boxes
from tests.test_tools.run import REPOSITORY, options, run_tool

CONFIG = REPOSITORY / "configs/sspnet/sspnet_r50_market1501.py"


@pytest.mark.slow
@pytest.mark.skipif(not REAL_FILES["market"].exists(), reason="no market_attribute.mat")
def test_the_last_averaged_checkpoint_is_tested(tmp_path):
    root = tmp_path / "data/market1501"
    copy_real("market", root)
    for part, persons in dict(train=(2, 7, 10, 11), test=(1, 3)).items():
        names = [f"{person:04}_c1s1_000451_03.jpg" for person in persons]
        write_boxes(root, f"bounding_box_{part}", names)
    small = (
        "train_cfg.max_epochs=1",
        "train_dataloader.batch_size=2",
        "train_dataloader.num_workers=0",
        "train_dataloader.persistent_workers=False",
        "test_dataloader.num_workers=0",
        "test_dataloader.persistent_workers=False",
        "model.backbone.depth=18",
        "model.backbone.init_cfg=None",
        "model.backbone.base_channels=8",
        "model.backbone.stem_channels=8",
        "model.neck.in_channels=8,16,32,64",
    )
    run_tool("train.py", CONFIG, *options(*small), cwd=tmp_path)
    work_dir = tmp_path / "work_dirs/sspnet_r50_market1501"
    text = run_tool("test.py", CONFIG, work_dir, *options(*small), cwd=tmp_path)
    assert "epoch_1.pth" in text
    assert "downpurple" in text  # the per-attribute table
