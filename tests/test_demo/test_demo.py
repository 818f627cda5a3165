"""The notebook runs from top to bottom, and the persons in it are drawn."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

from mmpar.datasets import SyntheticPAR
from mmpar.synthetic import draw_person
from tests.fixtures.versions import needs_exporter

DEMO = Path(__file__).parents[2] / "demo"
PERSONS = sorted(DEMO.glob("persons/*"))


@needs_exporter
@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(DEMO.parent))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    notebook = nbformat.read(DEMO / "inference.ipynb", as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells)
    client = NotebookClient(
        notebook, timeout=300, resources=dict(metadata=dict(path=str(DEMO)))
    )
    client.execute()  # raises the error of a cell
    shown = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    images = [one for one in shown if "image/png" in one.get("data", {})]
    assert len(images) == 2  # the plot and the explanation
    assert "PARResult(person_10.jpg, " in notebook.cells[-1].outputs[0].text


@pytest.mark.parametrize("path", PERSONS, ids=lambda path: path.name)
def test_persons_are_drawn_ones_of_the_test_split(path):
    number = int(re.fullmatch(r"person_(\d+)\.jpg", path.name)[1])
    first = SyntheticPAR.SPLITS.index("test") * SyntheticPAR.PEOPLE_PER_SPLIT
    drawn = draw_person(0, first + number).image.astype(float)
    with Image.open(path) as image:
        assert np.abs(np.asarray(image) - drawn).mean() < 6  # JPEG's loss
