"""A test pipeline as data: what can be said is said exactly, the rest is refused."""

import pytest

from mmpar.structures import Preprocessing

LOAD, PACK = dict(type="LoadPersonImage"), dict(type="PackPARInputs")
RESIZE = dict(type="Resize", scale=(64, 128))
NORMALIZE = dict(
    type="mmpretrain.ClsDataPreprocessor", mean=[1, 2, 3], std=[4, 5, 6], to_rgb=True
)
PLAIN = dict(
    width=64,
    height=128,
    resize="antialias",
    interpolation="bilinear",
    mean=[1.0, 2.0, 3.0],
    std=[4.0, 5.0, 6.0],
    to_rgb=True,
    use_exif=True,
)
DRAW = dict(type="DrawSyntheticPerson", keep=True)
NO_EXIF = dict(LOAD, color_type="color_ignore_orientation", backend_args=None)


@pytest.mark.parametrize(
    ("pipeline", "normalization", "changes"),
    [
        ([LOAD, RESIZE, PACK], NORMALIZE, {}),
        ([DRAW, RESIZE, PACK], NORMALIZE, {}),
        ([NO_EXIF, RESIZE, PACK], NORMALIZE, dict(use_exif=False)),
        ([LOAD, dict(RESIZE, scale=32), PACK], NORMALIZE, dict(width=32, height=32)),
        (
            [LOAD, dict(RESIZE, type="mmcv.Resize", interpolation="area"), PACK],
            NORMALIZE,
            dict(resize="cv2", interpolation="area"),
        ),
        (
            [LOAD, dict(RESIZE, backend="pillow"), dict(type="mmpretrain.PackInputs")],
            dict(NORMALIZE, to_rgb=False, batch_augments=dict(augments="Mixup")),
            dict(resize="pillow", to_rgb=False),
        ),
        ([LOAD, RESIZE, PACK], None, dict(mean=[0.0] * 3, std=[1.0] * 3, to_rgb=False)),
    ],
)
def test_a_test_pipeline_is_described(pipeline, normalization, changes):
    found = Preprocessing.from_config(pipeline, normalization)
    assert found.to_dict() == {**PLAIN, **changes}
    assert Preprocessing.from_dict(found.to_dict()) == found


@pytest.mark.parametrize(
    ("pipeline", "normalization", "match"),
    [
        ([LOAD, RESIZE, dict(type="RandomFlip"), PACK], {}, r"because of \['RandomF"),
        ([LOAD, dict(type="my.Resize"), PACK], {}, r"because of \['my.Resize'\]"),
        ([RESIZE, LOAD, PACK], {}, "in this order"),
        ([LOAD, PACK], {}, "holds one of"),
        ([LOAD, dict(RESIZE, keep_ratio=True), PACK], {}, "keep_ratio=True"),
        ([LOAD, dict(type="Resize", scale_factor=2.0), PACK], {}, "scale_factor"),
        ([LOAD, dict(RESIZE, scale=(64,)), PACK], {}, r"is \(64,\), not a pair"),
        ([dict(type="LoadFeatures"), PACK], {}, r"join it with its tower first"),
        ([LOAD, dict(RESIZE, interpolation="area"), PACK], {}, "interpolation is 'ar"),
        ([dict(LOAD, color_type="grayscale"), RESIZE, PACK], {}, "is 'grayscale'"),
        ([dict(LOAD, to_float32=True), RESIZE, PACK], {}, "to_float32"),
        ([LOAD, RESIZE, PACK], dict(type="MyPreprocessor"), "is a MyPreprocessor"),
        ([LOAD, RESIZE, PACK], dict(pad_size_divisor=32), "pad_size_divisor"),
    ],
)
def test_what_a_model_file_cannot_hold_is_refused(pipeline, normalization, match):
    with pytest.raises(ValueError, match=match):
        Preprocessing.from_config(pipeline, normalization)


WRONG = dict(
    width=[0, 4097, 64.0, True, "64", None],
    height=[0, -1],
    resize=["Antialias", None, ["cv2"]],
    interpolation=["area", 1],
    mean=[[1.0, 2.0], [1.0, 2.0, float("nan")], [1.0, 2.0, True], "123", 1.0],
    std=[[1.0, 2.0, 0.0], [1.0, 2.0, float("inf")], None],
    to_rgb=[1, None],
    use_exif=["yes"],
)


@pytest.mark.parametrize(("field", "values"), WRONG.items())
def test_a_wrong_field_is_named(field, values):
    for value in values:
        with pytest.raises(ValueError, match=f"preprocessing.{field} is"):
            Preprocessing.from_dict({**PLAIN, field: value})
    without = {name: value for name, value in PLAIN.items() if name != field}
    with pytest.raises(ValueError, match=rf"preprocessing lacks \['{field}'\]"):
        Preprocessing.from_dict(without)
    with pytest.raises(ValueError, match=r"the unknown \['blur'\]"):
        Preprocessing.from_dict({**PLAIN, "blur": 1})
