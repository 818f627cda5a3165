"""COCO's keypoints and their mirror images."""

from mmpar.structures import COCO_FLIP_ORDER, COCO_KEYPOINTS


def test_there_are_seventeen_from_nose_to_ankles():
    assert len(set(COCO_KEYPOINTS)) == 17
    assert (COCO_KEYPOINTS[0], COCO_KEYPOINTS[16]) == ("nose", "right_ankle")


def test_a_mirror_swaps_left_and_right():
    mirrored = [COCO_KEYPOINTS[i] for i in COCO_FLIP_ORDER]
    assert mirrored[:3] == ["nose", "right_eye", "left_eye"]
    for name, image in zip(COCO_KEYPOINTS, mirrored):
        swapped = name.replace("left", "?").replace("right", "left")
        assert image == swapped.replace("?", "right")
