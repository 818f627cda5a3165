"""The benchmark against another model, in a process of its own.

OpenVINO ends a process that has run hundreds of other tests, without a word.
"""

import pytest

from tests.fixtures.versions import needs_exporter
from tests.test_tools.run import TIMEOUT, start_python, stop_at

pytest.importorskip("openvino")
pytest.importorskip("onnxscript")
pytestmark = needs_exporter


def test_another_model_is_compared_with_ours(tmp_path):
    cases = "tests/test_tools/competitor_cases.py"
    with (tmp_path / "output.txt").open("w+b") as output:
        words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", cases)
        status = stop_at(start_python(words, output), TIMEOUT)
        output.seek(0)
        text = output.read().decode(errors="replace")
    assert status == 0, text
    assert " passed" in text
