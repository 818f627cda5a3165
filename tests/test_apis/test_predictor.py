"""Reading, batching and answering, with a model that sees the mean of each channel."""

import pickle
import threading
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mmpar.apis.predictor import Predictor
from mmpar.structures import AttributeSchema
from mmpar.structures.decision import Conformal, DecisionRule
from mmpar.structures.model_card import ModelCard
from mmpar.structures.preprocessing import Preprocessing

AGES = ("Young", "Old")
SCHEMA = AttributeSchema(("Hat", *AGES), dict(age=AGES), exclusive=[AGES])


def a_card(**fields):
    return ModelCard(
        **{
            "name": "means",
            "schema": SCHEMA,
            "regions": {},
            "model": dict(type="Means", head=dict(type="Mean")),
            "preprocessing": Preprocessing(
                2, 4, "pillow", "box", (0, 0, 0), (255, 255, 255), False, True
            ),
            "decision": DecisionRule(SCHEMA),
            "chosen_by": None,
            "positive_ratio": (None,) * 3,
            "training_data": None,
            "license": "CC0-1.0",
            "intended_use": "tests",
            "versions": dict(mmpar="0", torch="2"),
            "needs_keypoints": False,
            "weights_sha256": "0" * 64,
            **fields,
        }
    )


def read(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))[..., ::-1]


class Means(Predictor):
    """Hat is the mean of blue, Young of green, Old of red."""

    def __init__(self, card=None, **options):
        super().__init__(card or a_card(), **options)
        self.batches = []
        self.points = []

    @property
    def read(self):
        return read

    def prepare(self, crop):
        return crop.mean(axis=(0, 1)) / 255

    def score(self, inputs, keypoints):
        self.batches.append(len(inputs))
        self.points.append(keypoints)
        return np.stack(inputs)


def flat(*bgr, size=(6, 3)):
    return np.tile(np.array(bgr, np.uint8), (*size, 1))


def write(path, *bgr):
    Image.fromarray(flat(*bgr)[..., ::-1]).save(path)
    return str(path)


def test_scores_decisions_and_groups_are_those_of_the_rule():
    (result,) = Means().predict(flat(204, 153, 255))
    assert result.scores == pytest.approx(dict(Hat=0.8, Young=0.6, Old=1.0))
    assert result.present == ("Hat", "Old")  # of two ages one
    age = result.groups["age"]
    assert (age.best, age.score, age.present) == ("Old", 1.0, True)
    assert age.margin == pytest.approx(0.4)
    assert (result.error, result.img_path, result.answers) == (None, None, {})


def test_a_threshold_replaces_the_model_s_own_of_the_attributes_that_it_names():
    rule = DecisionRule(SCHEMA, (0.9, 0.1, 0.1))
    predictor = Means(a_card(decision=rule), threshold=dict(Hat=0.2))
    assert predictor.rule.thresholds == (0.2, 0.1, 0.1)
    assert Means(threshold=0.3).rule.thresholds == (0.3, 0.3, 0.3)
    with pytest.raises(ValueError, match="Shoe"):
        Means(threshold=dict(Shoe=0.1))
    assert Means(threshold=np.float32([0.5, 0.25, 0])).rule.thresholds == (0.5, 0.25, 0)
    with pytest.raises(ValueError, match="batch_size is 0"):
        Means(batch_size=0)
    with pytest.raises(ValueError, match="batch_size is 0"):
        Means().predict([], batch_size=0)


def test_results_keep_the_order_of_images_and_boxes_whatever_the_batches(tmp_path):
    files = [write(tmp_path / f"{n:02}.png", n, 0, 0) for n in range(40)]
    predictor = Means(batch_size=7)
    results = predictor.predict(files)
    assert [result.img_path for result in results] == files
    assert [round(result.scores["Hat"] * 255) for result in results] == [*range(40)]
    assert predictor.batches == [7] * 5 + [5]


def test_images_are_read_only_a_few_batches_ahead():
    given = []

    def endless():
        while True:
            given.append(None)
            yield flat(len(given) % 256, 0, 0)

    predictor = Means(batch_size=4)
    stream = predictor.iterate(endless())
    for expected in range(1, 20):
        assert round(next(stream).scores["Hat"] * 255) == expected
    assert len(given) <= 20 + 4 + 2 * 16
    before = threading.active_count()
    stream.close()
    assert threading.active_count() < before


def test_an_image_that_cannot_be_read_is_a_result_with_the_reason(tmp_path):
    good = write(tmp_path / "good.png", 255, 0, 0)
    (tmp_path / "bad.png").write_text("not an image")
    files = [str(tmp_path / "missing.png"), good, str(tmp_path / "bad.png"), good]
    results = Means(batch_size=3).predict(files)
    assert [result.error is None for result in results] == [False, True, False, True]
    assert [result.img_path for result in results] == files
    assert "No such file" in results[0].error
    assert "cannot identify image" in results[2].error
    assert (results[0].scores, results[0].present) == ({}, ())
    float_image = flat(0, 0, 0).astype(np.float32)
    assert "expected uint8" in Means().predict([float_image])[0].error


def test_scores_that_are_no_numbers_are_no_answer():
    class Broken(Means):
        def score(self, inputs, keypoints):
            scores = super().score(inputs, keypoints)
            return np.where(scores == 1, np.nan, scores)

    stream = [flat(0, 0, 0), flat(0, 255, 0), flat(51, 0, 0)]
    for batch_size in (1, 3):
        results = Broken().predict(stream, batch_size=batch_size)
        assert [one.scores.get("Hat") for one in results] == [0, None, 0.2]
        assert "not finite" in results[1].error


def test_persons_are_cut_out_of_their_image(tmp_path):
    image = np.zeros((10, 10, 3), np.uint8)
    image[2:6, 1:4, 0] = 255
    boxes = [(1, 2, 4, 6), (0, 2, 2, 6), (20, 20, 30, 30)]
    results = Means().predict(image, boxes)
    assert [result.box for result in results] == boxes
    assert results[0].scores["Hat"] == 1
    assert results[1].scores["Hat"] == 0.5
    assert "outside the image" in results[2].error
    assert (results[0].image == [0, 0, 255]).all()  # the crop, in RGB
    assert Means().predict([image, image], [[], boxes[:1]])[0].box == boxes[0]


def test_rgb_arrays_are_read_as_such():
    image = flat(255, 0, 0)
    (result,) = Means().predict(image[..., ::-1], rgb=True)
    assert result.scores["Hat"] == 1
    assert (result.image == [0, 0, 255]).all()


def test_keypoints_reach_the_model_in_fractions_of_the_crop():
    image, points = np.zeros((20, 10, 3), np.uint8), np.zeros((17, 3))
    points[3] = (4, 8, 1)
    predictor = Means(a_card(needs_keypoints=True))
    predictor.predict(image, [(2.5, 4, 7, 14)], keypoints=points)
    assert predictor.points[0][0, 3] == pytest.approx((2 / 5, 4 / 10, 1))
    with pytest.raises(ValueError, match="reads body keypoints"):
        predictor.predict(image)


def test_it_is_not_sure_only_where_both_answers_are_plausible():
    conformal = Conformal(SCHEMA, 0.9, ((0.6, 0.6),) * 3)
    predictor = Means(a_card(decision=DecisionRule(SCHEMA, conformal=conformal)))
    checks = np.indices((160, 80)).sum(axis=0) % 16 // 8
    image = np.stack([checks * 255, 0 * checks, 0 * checks + 255], -1).astype(np.uint8)
    (result,) = predictor.predict(image, abstain=True)
    assert result.answers == dict(Hat="not sure", Young="no", Old="yes")
    assert result.reasons == dict(Hat="uncertain")
    assert (result.quality["width"], result.quality["height"]) == (80, 160)
    small, blank = predictor.predict([image[:9], np.zeros_like(image)], abstain=True)
    assert {*small.answers.values()} == {*blank.answers.values()} == {"not sure"}
    assert "too small: 80 x 9 pixels" in small.reasons["Old"]
    assert "too blurred" in blank.reasons["Old"]
    with pytest.raises(ValueError, match=r"cannot say .*/calibrate\.py"):
        Means().predict(flat(0, 0, 0), abstain=True)


def test_results_can_be_annotated_batch_by_batch(tmp_path):
    def annotate(persons, results):
        return [
            replace(result, boxes=dict(Hat=(0.0, 0.0, *map(float, person.size))))
            for person, result in zip(persons, results)
        ]

    files = [str(tmp_path / "missing.png"), write(tmp_path / "a.png", 1, 2, 3)]
    missing, found = Means().iterate(files, annotate=annotate)
    assert (missing.boxes, found.boxes) == ({}, dict(Hat=(0.0, 0.0, 3.0, 6.0)))


def test_a_result_can_be_sent_to_another_process(tmp_path):
    file = write(tmp_path / "a.png", 1, 2, 3)
    sent = pickle.loads(pickle.dumps(Means().predict(file)[0]))
    assert (sent.image == [3, 2, 1]).all()
