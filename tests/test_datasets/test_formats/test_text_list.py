"""Plain lines read at once say what each line says by itself."""

import numpy as np
import pytest

from mmpar.datasets.formats import lists as text_list
from mmpar.datasets.formats.lists import plain_lines, read_text
from mmpar.structures import AttributeSchema

SCHEMA = AttributeSchema(("Hat", "Bag", "Boots"))
PLAIN = b"a/picture.jpg 1 0 1\nother.jpg\t0 0\t0\nsub/third.png 1 1 1"

NOT_PLAIN = {
    "carriage return": b"a/picture.jpg 1 0 1\r",
    "unknown": b"a/picture.jpg 1 ? 1",
    "minus one": b"a/picture.jpg 1 0 -1",
    "another label": b"a/picture.jpg 1 0 2",
    "slash, which is below zero": b"a/picture.jpg 1 0 /",
    "too many": b"a/picture.jpg 1 1 0 1",
    "too few": b"a/picture.jpg 0 1",
    "none": b"a/picture.jpg",
    "two blanks": b"a/picture.jpg 1  0 1",
    "trailing blank": b"a/picture.jpg 1 0 1 ",
    "leading blank": b" a/picture.jpg 1 0 1",
    "blank in the path": b"a/my picture.jpg 1 0 1",
    "delete": b"a/pic\x7fture.jpg 1 0 1",
    "backslash": b"a\\picture.jpg 1 0 1",
    "not ASCII": "a/bäg.jpg 1 0 1".encode(),
    "wide blank": "a/bag.jpg\u3000x 1 0 1".encode(),
    "comment": b"#a/picture.jpg 1 0 1",
    "blank line": b"",
    "label instead of a path": b"-1.0 1 0 1",
}


def test_plain_lines_are_read_at_once():
    rows = plain_lines(PLAIN, 3, len("other.jpg"))
    assert rows.paths.tobytes() == b"a/picture.jpgother.jpgsub/third.png"
    assert rows.ends.tolist() == [13, 22, 35]
    assert rows.labels.tolist() == [[1, 0, 1], [0, 0, 0], [1, 1, 1]]
    assert rows.labels.dtype == np.int8
    assert rows.ends.dtype == np.int64
    assert plain_lines(PLAIN, 3, len("other.jpg") + 1) is None


@pytest.mark.parametrize(
    ("line", "path", "labels"),
    [(b"a,b.jpg 1", b"a,b.jpg", [1]), (b"a.jpg 1,0", b"a.jpg", [1, 0])],
)
def test_one_or_two_labels_are_read_at_once(line, path, labels):
    rows = plain_lines(line, len(labels), 5)
    assert rows.paths.tobytes() == path
    assert rows.labels.tolist() == [labels]


@pytest.mark.parametrize("line", NOT_PLAIN.values(), ids=NOT_PLAIN)
@pytest.mark.parametrize("place", ["{}\nb.jpeg 1 1 1", "b.jpeg 1 1 1\n{}\n"])
def test_other_lines_are_left_to_be_read_one_by_one(line, place):
    block = place.encode().replace(b"{}", line)
    assert plain_lines(block, 3, 5) is None


def random_line(rng, special):
    path = f"cam{rng.integers(9)}/{rng.integers(10**6)}.jpg"
    words = rng.choice(["0", "1"], 3)
    if special:
        path = rng.choice([path, f"my {path}", f"ä{path}", path.replace("/", "\\")])
        words = rng.choice(["0", "1", "-1", "?", "1.0"], 3)
    return f"{path} {' '.join(words)}"


def test_blocks_of_any_size_give_the_same_rows(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    lines = [random_line(rng, special=i // 50 % 3 == 0) for i in range(600)]
    lines[55:55] = ["", "# a note", "   "]
    file = tmp_path / "list.txt"
    file.write_text("\ufeff" + "\n".join(lines), encoding="utf-8")
    expected = []
    for line in lines:
        if line.strip() and not line.startswith("#"):
            path, *words = line.rsplit(" ", 3)
            labels = [-1 if word == "?" else int(float(word)) for word in words]
            expected.append((path.replace("\\", "/"), labels))
    for size in (1, 30, 1_000, 1 << 20):
        monkeypatch.setattr(text_list, "_BYTES_AT_A_TIME", size)
        table = read_text(str(file)).select(SCHEMA)
        assert list(zip(table.paths, table.labels.tolist())) == expected, size


def test_a_fault_far_down_is_named_by_its_line(tmp_path, monkeypatch):
    monkeypatch.setattr(text_list, "_BYTES_AT_A_TIME", 1_000)
    rng = np.random.default_rng(0)
    lines = [random_line(rng, special=False) for _ in range(500)]
    lines[432] = "cam1/2.jpg 1 x 1"
    file = tmp_path / "list.txt"
    file.write_text("\n".join(lines))
    with pytest.raises(ValueError, match=r"line 433: attribute 'Bag' has the label 'x"):
        read_text(str(file)).select(SCHEMA)


@pytest.mark.parametrize("number", [1, 41])
def test_one_line_without_labels_is_a_fault_wherever_it_is(
    tmp_path, monkeypatch, number
):
    monkeypatch.setattr(text_list, "_BYTES_AT_A_TIME", 1)
    lines = [f"cam1/{i}.jpg 1 0 1\n" for i in range(41)]
    lines[number - 1] = "cam1/2.jpg\n"
    (tmp_path / "list.txt").write_text("".join(lines))
    other = {1: 2, 41: 1}[number]
    fault = rf"line {number}: found 0 labels, expected 3 as in line {other};"
    with pytest.raises(ValueError, match=fault):
        read_text(str(tmp_path / "list.txt")).select(SCHEMA)


def test_a_text_list_has_one_partition(tmp_path):
    (tmp_path / "list.txt").write_bytes(PLAIN)
    with pytest.raises(ValueError, match=r"has one partition, got partition=1"):
        read_text(str(tmp_path / "list.txt")).select(SCHEMA, partition=1)


def test_an_empty_list_is_an_error(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"")
    with pytest.raises(ValueError, match=r"list\.txt is empty"):
        read_text(str(tmp_path / "list.txt"))


def test_a_list_of_comments_has_no_rows(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"# path Hat Bag Boots\n")
    table = read_text(str(tmp_path / "list.txt")).select(SCHEMA)
    assert len(table) == 0
    assert table.labels.shape == (0, 3)
