"""Every example runs as its reader would run it, in a folder of its own, and draws what it says it draws."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "examples"
HELPERS = ("pictures.py",)
EXAMPLES = [file for file in sorted(FOLDER.glob("*.py")) if file.name not in HELPERS]

# What a short run prints, as patterns; only the whole run is held to the result that an example promises.
SAYS = {
    "addition_rnn.py": [r"\d+\.\d\d% of 100 held-out sums exact"],
    "char_gpt.py": [r"\d\.\d{3} bits per unseen letter; counting pairs \d\.\d{3}, triples \d\.\d{3}"],
    "custom_op.py": [
        r"memory, order 1: right", r"memory, order 2: right", r"the planted mistake: caught", r"a mean over 3 elements",
        r"greatest distance from the true leaks: 0\.\d{4}",
    ],
    "ctc_ocr.py": [r"greedy: label error rate \d+\.\d\d%", r"beam_search: label error rate \d+\.\d\d%"],
    "functional_multi.py": [r"test accuracy: left 0\.\d{4}, right 0\.\d{4}, result 0\.\d{4}"],
    "gan.py": [r"the judge reads \d+\.\d\d% of the test set", r"% of 1000 samples", r"0: \d+  1: \d+ .* 9: \d+"],
    "mnist.py": [r"dense model: test accuracy 0\.\d{4}", r"convnet: test accuracy 0\.\d{4}"],
    "ntm.py": [r"bits wrong: \d+\.\d\d% at 10 steps, \d+\.\d\d% at 20 steps"],
    "operators.py": [r"mean squared error 0\.\d{4}", r"largest curvature along v: \d"],
    "second_order.py": [r"relative error \d+\.\d{3}%, greatest error 0\.\d{4}"],
    "siamese.py": [r"test pairs told apart: 0\.\d{4} of 20000"],
}  # fmt: skip
DRAWS = {
    "addition_rnn.py": ["addition_rnn.svg"],
    "char_gpt.py": ["char_gpt.svg"],
    "custom_op.py": ["custom_op.svg"],
    "ctc_ocr.py": ["ctc_ocr.svg"],
    "functional_multi.py": ["functional_multi.svg", "functional_multi_model.svg"],
    "gan.py": ["gan.svg"],
    "mnist.py": ["mnist_misread.svg", "mnist_model.svg"],
    "ntm.py": ["ntm.svg"],
    "operators.py": ["operators.svg", "operators_graph.svg"],
    "second_order.py": ["second_order.svg"],
    "siamese.py": ["siamese.svg", "siamese_distances.svg"],
}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda file: file.name)
def test_example_runs(example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    command = [sys.executable, "-W", "error::DeprecationWarning", str(example), "--quick"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    for pattern in SAYS.get(example.name, []):
        assert re.search(pattern, run.stdout), f"no {pattern!r} in\n{run.stdout}"
    drawn = sorted(file.name for file in tmp_path.glob("*.svg"))
    assert drawn == DRAWS.get(example.name, drawn) and drawn
    for name in drawn:
        _check_picture(tmp_path / name)


def _check_picture(file: Path) -> None:
    """A well-formed picture with a title, a size, and more than a few marks, each at a place that is a number."""
    text = file.read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    kinds = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert kinds[0] == "svg" and "title" in kinds and float(root.attrib["width"]) > 50, file.name
    assert sum(kinds.count(kind) for kind in ("path", "image", "circle", "text", "rect")) > 10, file.name
    assert not re.search(r'="[^"]*\b(nan|inf)\b', text), file.name


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda file: file.name)
def test_an_example_is_a_page_that_says_what_to_expect(example: Path) -> None:
    text = example.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120
    assert text.startswith('"""') and "esult to expect" in text.split('"""')[1]
