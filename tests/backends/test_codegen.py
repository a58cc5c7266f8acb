"""Machine code made by several threads at once."""

import threading

import pytest

from autograd_nn import config
from autograd_nn.backends.numba.machine import codegen

TEXT = """
define i64 @"{name}"(i64 %x) {{
  %y = add i64 %x, {amount}
  ret i64 %y
}}
"""


@pytest.fixture(autouse=True)
def as_before():
    before = config.num_threads()
    yield
    config.set_num_threads(before)


@pytest.fixture(params=[1, 2, 4])
def threads(request):
    config.set_num_threads(request.param)
    return request.param


def test_results_stand_in_the_order_of_the_jobs(threads):
    assert codegen.together([lambda k=k: k * k for k in range(20)]) == [k * k for k in range(20)]
    assert codegen.together([]) == []


def test_the_error_of_a_job_is_raised_and_no_thread_stays(threads):
    def fail():
        raise ValueError("the third")

    before = threading.active_count()
    with pytest.raises(ValueError, match="the third"):
        codegen.together([int, int, fail, *[int] * 20])
    assert threading.active_count() == before


def test_jobs_run_beside_each_other():
    config.set_num_threads(2)
    met = threading.Barrier(2, timeout=30)
    assert sorted(codegen.together([met.wait, met.wait])) == [0, 1]


def test_code_is_the_same_whoever_makes_it(threads):
    texts = [TEXT.format(name=f"plus_{k}", amount=k) for k in range(12)]
    alone = [codegen.machine_code(text) for text in texts]
    assert codegen.together([lambda text=text: codegen.machine_code(text) for text in texts]) == alone
    loaded = codegen.Loaded(alone)
    assert all(loaded.address(f"plus_{k}") for k in range(12))


def test_wrong_text_is_an_error():
    with pytest.raises(RuntimeError):
        codegen.machine_code("define i64 @f( {")
