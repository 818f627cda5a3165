"""Boxes of persons in the frames of a video, as MOTChallenge writes them."""

import pytest

from mmpar.datasets.formats.mot import read_mot_boxes

FRAMES = ["img1/000001.jpg", "img1/000002.jpg", "img1/000003.jpg"]


@pytest.fixture
def read(tmp_path):
    def reader(text, frames=FRAMES):
        (tmp_path / "gt.txt").write_text(text)
        return read_mot_boxes(str(tmp_path / "gt.txt"), frames)

    return reader


def test_boxes_belong_to_the_frame_of_their_number_in_the_order_of_the_file(read):
    found = read("3,7,10,20,5,8\n1,2,1.5,-2,4,6,0.9,-1,-1,-1\n3,-1,0,0,2,2\n\n")
    assert [boxes.tolist() for boxes in found.boxes] == [
        [[1.5, -2, 5.5, 4]],
        [],
        [[10, 20, 15, 28], [0, 0, 2, 2]],
    ]
    assert found.ids == [[2], [], [7, None]]
    assert found.notes == []


def test_a_box_may_be_smaller_than_a_pixel(read):
    found = read("1,5,3,4,0.5,0.25\n")
    assert found.boxes[0].tolist() == [[3, 4, 3.5, 4.25]]


def test_a_ground_truth_with_classes_gives_its_persons_and_says_what_it_left_out(read):
    line = "1,{0},0,0,2,2,{1},{0},1\n"
    found = read("".join(line.format(kind, int(kind == 1)) for kind in range(1, 14)))
    assert found.ids[0] == [1, 2, 7]
    (note,) = found.notes
    assert "left out 10 boxes of classes that are no persons" in note


def test_frames_may_be_called_otherwise_if_their_numbers_are_theirs(read):
    frames = ["a/frame_3.png", "a/frame_1.png"]
    assert read("1,5,0,0,2,2\n", frames).ids == [[], [5]]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("1,2,3,4,5\n", r"line 1: expected frame, id, left, top, width, height as num"),
        ("1,2,0,0,2,2\n\n1 2 0 0 2 2\n", r"line 3: expected .*found '1 2 0 0 2 2'"),
        ("1,2,0,0,nan,2\n", "line 1: expected"),
        ("1,2.5,0,0,2,2\n", "line 1: expected"),
        ("1,2,0,0,0,2\n", r"line 1: the box \[0\.0, 0\.0, 0\.0, 2\.0\] has no area"),
        ("1,2,0,0,2,0\n", "has no area"),
        (
            "4,2,0,0,1,2\n",
            "frame 4 is not among the 3 images, whose numbers are 1 ",
        ),
    ],
)
def test_a_line_that_cannot_be_meant_is_refused(read, text, fault):
    with pytest.raises(ValueError, match=fault):
        read(text)


@pytest.mark.parametrize(
    ("frames", "fault"),
    [
        (["000000.jpg", "000001.jpg"], "000000.jpg is no frame of a video"),
        (["frame.jpg"], "does not end in a number"),
        (["a/1.jpg", "b/0001.jpg"], "are both frame 1"),
    ],
)
def test_images_that_are_not_the_frames_of_one_video_are_refused(read, frames, fault):
    with pytest.raises(ValueError, match=fault):
        read("1,2,0,0,1,2\n", frames)
