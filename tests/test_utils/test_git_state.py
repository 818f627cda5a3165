"""The commit that a result names is that of the code that ran."""

import shutil
import subprocess

import pytest

from mmpar.utils.git_state import git_state

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "code.py").write_text("1")
    someone = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "."], [*someone, "commit", "-qm", "first"]):
        subprocess.run(["git", "-C", tmp_path, *words], check=True)
    return tmp_path


def test_it_is_the_commit_and_whether_files_differ(checkout):
    words = ["git", "-C", checkout, "rev-parse", "--short=12", "HEAD"]
    commit = subprocess.run(words, capture_output=True, text=True).stdout.strip()
    subprocess.run(["git", "-C", checkout, "tag", "v9"], check=True)
    assert git_state(checkout) == commit
    (checkout / "new.txt").touch()
    assert git_state(checkout) == commit
    (checkout / "code.py").write_text("2")
    assert git_state(checkout) == f"{commit}-dirty"


def test_a_package_inside_of_another_repository_has_none(checkout):
    (checkout / "site-packages").mkdir()
    assert git_state(checkout / "site-packages") is None


def test_a_broken_checkout_has_none(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    assert git_state(tmp_path) is None
    monkeypatch.setenv("PATH", "")
    assert git_state(tmp_path) is None
