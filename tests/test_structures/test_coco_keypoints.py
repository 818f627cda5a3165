"""The order of COCO's keypoints and of their mirror images."""

from mmpar.structures import COCO_FLIP_ORDER, COCO_KEYPOINTS


def test_each_keypoint_mirrors_the_one_of_the_other_side():
    swapped = [
        name.replace("left", "?").replace("right", "left").replace("?", "right")
        for name in COCO_KEYPOINTS
    ]
    assert [COCO_KEYPOINTS[i] for i in COCO_FLIP_ORDER] == swapped
    assert len(set(COCO_KEYPOINTS)) == 17
