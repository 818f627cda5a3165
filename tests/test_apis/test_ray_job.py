"""A Ray cluster answers each image once, whoever dies."""

import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmpar.apis.predict_files import PredictorSettings, predict_to_file
from tests.test_apis.test_predictor import Means

pytestmark = pytest.mark.slow
pytest.importorskip("ray")
pytest.importorskip("pyarrow")

REPOSITORY = Path(__file__).parents[2]
NUM_IMAGES = 3000


class SlowMeans(Means):
    def score(self, inputs, keypoints):
        time.sleep(0.02)
        return super().score(inputs, keypoints)


class Settings(PredictorSettings):
    def open(self):
        return SlowMeans(batch_size=self.batch_size)


SETTINGS = Settings("no file")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crops")
    for number in range(NUM_IMAGES):
        color = [number % 256, number // 256, 99]
        Image.fromarray(np.full((4, 3, 3), color, np.uint8)).save(
            folder / f"{number:05}.png"
        )
    return folder


@pytest.fixture
def cluster(monkeypatch):
    """A head that does not work, and two workers."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    started = Cluster(initialize_head=True, head_node_args=dict(num_cpus=0))
    nodes = [started.add_node(num_cpus=1) for _ in range(2)]
    yield started, nodes
    started.shutdown()


def kill_when(nodes, parts, wanted):
    """Kill a node without a word as soon as so many chunks are done."""

    def kill():
        cluster, (node, _) = nodes
        while len([*parts.glob("*.jsonl")]) < wanted:
            time.sleep(0.005)
        cluster.remove_node(node, allow_graceful=False)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def test_each_image_is_answered_once_though_a_worker_is_killed(
    tmp_path, images, cluster
):
    import pandas

    from mmpar.apis.ray_job import predict_on_ray

    paths = sorted(str(path) for path in images.iterdir())
    table = tmp_path / "paths.parquet"
    pandas.DataFrame(dict(path=paths)).to_parquet(table)
    out = tmp_path / "ray.parquet"
    killer = kill_when(cluster, tmp_path / "ray.parquet.parts", 4)
    summary = predict_on_ray(cluster[0].address, SETTINGS, [table], out)
    killer.join()
    assert (summary.images, summary.persons, summary.errors) == (NUM_IMAGES,) * 2 + (0,)
    assert list(pandas.read_parquet(out).img_path) == paths
    predict_to_file(SETTINGS, paths, tmp_path / "here.parquet")
    assert out.read_bytes() == (tmp_path / "here.parquet").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("here.parquet", "paths.parquet", "ray.parquet")
    ]


def test_tables_of_paths_are_read_in_order_or_refused(tmp_path, monkeypatch):
    import ray

    from mmpar.apis.ray_job import _with_tables

    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    (tmp_path / "a.txt").write_text("1.png\n2.png\n")
    (tmp_path / "b.csv").write_text("label,path\n0,3.png\n1,4.png\n")
    (tmp_path / "c.jsonl").write_text(json.dumps(dict(path="5.png")) + "\n")
    (tmp_path / "d.csv").write_text("image\n7.png\n")
    names = ["a.txt", "b.csv", "c.jsonl"]
    ray.init("local", num_cpus=1)
    try:
        dataset = ray.data.from_items([dict(path="6.png")])
        sources = [*(tmp_path / name for name in names), dataset, "folder"]
        found = list(_with_tables(sources))
        assert found == [*(f"{n}.png" for n in range(1, 7)), "folder"]
        with pytest.raises(ValueError, match=r"no column 'path' .* it has \['image'\]"):
            list(_with_tables([tmp_path / "d.csv"]))
    finally:
        ray.shutdown()
