"""Matrix products: every size around the edges of a tile, every layout, what is computed on the way, any team."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.backends.numba import compile as compile_graph
from autograd_nn.backends.numba.lowering import gemm
from autograd_nn.backends.numba.lowering.bind import NativeStep, PythonStep
from autograd_nn.backends.numba.machine import kernel
from autograd_nn.backends.threads import num_threads, set_num_threads
from autograd_nn.compiler import optimize

from .common import agree, both, flat, on

EDGES = st.sampled_from([0, 1, 2, 3, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 23, 31, 32, 33, 48, 65])
DEPTHS = st.sampled_from([0, 1, 2, 3, 4, 7, 8, 16, 33, 255, 256, 257, 300, 513])
DTYPES = st.sampled_from(["float32", "float64"])


def turned(x):
    return ops.swapaxes(x, -1, -2)


def doubled(x, axis):
    """What a step of two makes x of again."""
    return ops.repeat(x, 2, axis)


LAYOUTS = {
    "rows": lambda x: x,
    "columns": lambda x: turned(ops.tanh(turned(x))),
    "spread rows": lambda x: doubled(x, -2)[..., ::2, :],
    "spread columns": lambda x: doubled(x, -1)[..., ::2],
    "spread transposed": lambda x: turned(doubled(turned(x), -1)[..., ::2]),
    "backwards": lambda x: ops.flip(ops.tanh(x), -1)[..., ::-1],
    "one row": lambda x: ops.broadcast_to(x[..., :1, :], x.shape) if x.shape[-2] else x,
    "one column": lambda x: ops.broadcast_to(x[..., :1], x.shape) if x.shape[-1] else x,
}
ENDINGS = {
    "nothing": lambda y, v, c, w: y,
    "bias": lambda y, v, c, w: y + v,
    "per row": lambda y, v, c, w: ops.tanh(y * c),
    "activation": lambda y, v, c, w: ops.relu(y + v),
    "mask": lambda y, v, c, w: ops.where(w > 0, ops.sigmoid(y), 0.5) + w,
    "spread": lambda y, v, c, w: y + doubled(w, -1)[..., ::2] if w.ndim else y + w,
    "several": lambda y, v, c, w: update(y, w),
    "other dtypes": lambda y, v, c, w: (y > w, ops.cast(y > w, "float64") + 1.0),
    "its own square": lambda y, v, c, w: y * y,
    "a reduction": lambda y, v, c, w: ops.sum(ops.square(y - v)),
    "an output too": lambda y, v, c, w: (y, y + v),
}


def update(g, w):
    """One step of an optimizer with two slots."""
    m = 0.9 * w + 0.1 * g
    s = 0.99 * w * w + 0.01 * g * g
    return m, s, w - 0.1 * m / (ops.sqrt(s) + 1e-3)


def arrays(rng, dtype, *shapes):
    return [rng.uniform(-1, 1, shape).astype(dtype) for shape in shapes]


@settings(max_examples=60)
@given(EDGES, DEPTHS, EDGES, DTYPES, st.sampled_from(sorted(LAYOUTS)), st.sampled_from(sorted(LAYOUTS)))
def test_any_size_and_layout(m, k, n, dtype, left, right):
    a, b = arrays(np.random.default_rng(m + n), dtype, (m, k), (k, n))
    # All of one sign, so that a sum over equal rows cannot cancel to less than its rounding.
    both(lambda a, b: LAYOUTS[left](a) @ LAYOUTS[right](b), np.abs(a), b)


@settings(max_examples=60)
@given(EDGES, DEPTHS, EDGES, DTYPES, st.sampled_from(sorted(ENDINGS)), st.sampled_from(["columns", "rows"]))
def test_what_becomes_of_a_product_is_computed_with_it(m, k, n, dtype, ending, layout):
    a, b, v, c, w = arrays(np.random.default_rng(m + n), dtype, (m, k), (k, n), (n,), (m, 1), (m, n))
    both(lambda a, b, v, c, w: ENDINGS[ending](LAYOUTS[layout](a) @ b, v, c, w), a, b, v, c, w)


BATCHES = st.sampled_from([((3,), (3,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((2, 3), ()), ((), (4,)), ((0,), (0,))])


@settings(max_examples=30)
@given(BATCHES, EDGES, st.sampled_from([0, 1, 5, 33]), EDGES, DTYPES, st.sampled_from(sorted(ENDINGS)))
def test_batches(batches, m, k, n, dtype, ending):
    front = np.broadcast_shapes(*batches)
    shapes = (*batches[0], m, k), (*batches[1], k, n), (n,), (m, 1), (*front, m, n)
    both(
        lambda a, b, v, c, w: ENDINGS[ending](a @ turned(ops.tanh(turned(b))), v, c, w),
        *arrays(np.random.default_rng(m), dtype, *shapes),
    )


@pytest.mark.parametrize("ending", sorted(ENDINGS))
@pytest.mark.parametrize("k", [0, 1, 9, 70])
def test_vectors(ending, k):
    end = ENDINGS[ending]
    x, a, b, w, u = arrays(np.random.default_rng(k), "float32", (k,), (5, k), (k, 19), (19,), (5,))
    both(lambda x, b, w: end(x @ b, w, w, w), x, b, w)
    both(lambda x, b, w: end(x @ turned(ops.tanh(turned(b))), w, w, w), x, b, w)
    both(lambda a, x, u: end(a @ x, u, u, u), a, x, u)
    both(lambda a, x, u: end(turned(ops.tanh(turned(a))) @ x, u, u, u), a, x, u)
    both(lambda x, w: end(x @ x, w[0], w[1], w[2]), x, w)


def test_heads_of_attention_need_no_copy():
    q, k, v = arrays(np.random.default_rng(0), "float32", *[(2, 9, 3, 8)] * 3)

    def attend(q, k, v):
        q, k, v = (ops.transpose(x, (0, 2, 1, 3)) for x in (q, k, v))
        return ops.softmax(q @ turned(k)) @ v

    both(attend, q, k, v)
    assert not [s for s in steps(attend, q, k, v) if "move" in s.kernel.note]


ORDERS = st.sampled_from(
    [(0, 2, 1, 3), (0, 2, 3, 1), (2, 0, 1, 3), (3, 1, 0, 2), (1, 0, 3, 2), (2, 3, 0, 1), (0, 1, 2, 3)]
)


@settings(max_examples=60)
@given(ORDERS, EDGES, st.sampled_from([1, 7, 33, 300]), EDGES, DTYPES)
def test_a_product_lies_as_its_reader_turns_it(order, m, k, n, dtype):
    a, b = arrays(np.random.default_rng(m + n), dtype, (2, 3, m, k), (2, 3, k, n))
    both(lambda a, b: ops.reshape(ops.transpose(a @ b, order), (-1,)) * 2.0, a, b)


def test_heads_are_joined_without_a_copy():
    a, b, w = arrays(np.random.default_rng(0), "float32", (2, 3, 20, 20), (2, 3, 20, 8), (24, 24))

    def joined(a, b, w):
        return ops.reshape(ops.transpose(a @ b, (0, 2, 1, 3)), (40, 24)) @ w

    both(joined, a, b, w)
    assert kernel.interpreted() or not [s for s in steps(joined, a, b, w) if "move" in s.kernel.note]


def packs(f, *values):
    return [s for s in steps(f, *values) if s.kernel.note == "pack a matrix"]


@pytest.mark.skipif(kernel.interpreted(), reason="there are no tiles")
def test_a_matrix_is_laid_out_once_for_all_who_read_it():
    x, y, w = arrays(np.random.default_rng(0), "float32", (40, 100), (70, 100), (100, 1200))

    def several(x, y, w):
        return x @ w, y @ w

    def slopes(x, w):
        return ag.grad(lambda w: ops.sum(ops.sin(x @ w) * ops.cos(x @ (w * 2.0))))(w)

    def steps_of_time(x, w):
        return turned(ops.reshape(x, (4, 10, 100))[..., ::2]) @ w[:10]

    both(several, x, y, w)
    both(slopes, x, w)
    both(steps_of_time, x, w)
    assert len(packs(several, x, y, w)) == 1
    assert [s.views[0].shape[:2] for s in packs(steps_of_time, x, w) if s.views[0].shape[-1] == 1200] == [(1, 1)]


@pytest.mark.parametrize("ending", sorted(ENDINGS))
@pytest.mark.parametrize("k", [40, 300])
def test_an_ending_goes_along_several_panels(ending, k):
    a, b, v, c, w = arrays(np.random.default_rng(0), "float32", (70, k), (k, 700), (700,), (70, 1), (70, 700))
    both(lambda a, b, v, c, w: ENDINGS[ending](a @ b, v, c, w), a, b, v, c, w)


@pytest.mark.skipif(kernel.interpreted(), reason="there are no tiles")
def test_what_is_the_same_for_all_elements_is_computed_once():
    a, b, w, r = arrays(np.random.default_rng(0), "float32", (40, 30), (30, 50), (40, 50), ())

    def updated(a, b, w, r):
        return w - ops.sqrt(1.0 + r * r) / (2.0 + r) * (a @ b)

    both(updated, a, b, w, r)
    source = steps(updated, a, b, w, r)[-1].kernel.source
    before = source[: source.index("for item in range")]
    assert "sqrt" in before and "/" in before


def steps(f, *values):
    """The steps of a function's program."""
    with on("numba"):
        jitted = ag.jit(f)
        jitted(*values)
        program = compile_graph(optimize(jitted.graph))
        program(*values)
    return program.newest.steps


def test_a_layer_is_one_kernel_and_so_is_an_update():
    x, w, v = arrays(np.random.default_rng(0), "float32", (40, 20), (20, 30), (30,))
    assert len(steps(lambda x, w, v: ops.relu(x @ w + v), x, w, v)) == 1
    assert len(steps(lambda x, w, y: update(turned(x) @ y, w), x, w, x @ w)) == 1


@pytest.mark.skipif(kernel.interpreted(), reason="kernels run in Python")
def test_a_long_sum_is_cut_and_is_the_same_bits_for_any_team():
    before = num_threads()
    a, b, w = arrays(np.random.default_rng(0), "float32", (16, 10_007), (10_007, 16), (16, 16))
    rng = np.random.default_rng(1)
    cases = (
        (lambda a, b, w: (ops.tanh(a @ b) + w, turned(b) @ turned(a)), (a, b, w)),
        (lambda x, y: ops.relu(x @ y), arrays(rng, "float64", (130, 70), (70, 90))),
        (lambda x, y: x @ turned(y) * 2.0, arrays(rng, "float32", (6, 40, 70), (6, 50, 70))),
        (lambda x, y: (x @ y, y @ turned(x)), arrays(rng, "float32", (300, 300), (300,))),
    )
    try:
        for f, values in cases:
            found = []
            for threads in (1, 2, 4):
                set_num_threads(threads)
                with on("numba"):
                    found.append(flat(ag.jit(f)(*values)))
            both(f, *values)
            for other in found[1:]:
                assert all(np.array_equal(x, y) for x, y in zip(found[0], other))
    finally:
        set_num_threads(before)


SUBSCRIPTS = (
    ("ij,jk->ik", (3, 4), (4, 5)), ("ij,kj->ki", (3, 4), (5, 4)), ("bqhd,bkhd->bhqk", (2, 5, 3, 4), (2, 6, 3, 4)),
    ("bhqk,bkhd->bqhd", (2, 3, 5, 6), (2, 6, 3, 4)), ("i,j->ij", (3,), (4,)), ("i,i->", (300,), (300,)),
    ("bi,bi->b", (3, 40), (3, 40)), ("ij,jk,kl->il", (3, 4), (4, 5), (5, 2)), ("ij,kl->ijkl", (2, 3), (2, 2)),
    ("abc,cbd->da", (2, 3, 4), (4, 3, 5)), ("abc,bcde->aed", (2, 3, 4), (3, 4, 5, 2)), ("ij,jk->ik", (3, 1), (4, 5)),
    ("ab,ab,ab->a", (3, 4), (3, 4), (3, 4)), ("ij,jk->ik", (0, 4), (4, 5)), ("ij,jk->ik", (3, 0), (0, 5)),
    ("...ij,...jk->...ik", (2, 1, 2, 3), (4, 3, 2)), (",ij->ji", (), (2, 3)), ("ai,bi,ci->abc", (2, 9), (3, 9), (4, 9)),
)  # fmt: skip


@pytest.mark.parametrize("case", SUBSCRIPTS, ids=[f"{case[0]}-{k}" for k, case in enumerate(SUBSCRIPTS)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sums_of_products_are_native(case, dtype):
    subscripts, *shapes = case
    values = arrays(np.random.default_rng(0), dtype, *shapes)

    def f(*xs):
        return ops.einsum(subscripts, *xs)

    def slopes(*xs):
        return ag.grad(lambda *xs: ops.sum(ops.sin(f(*xs))), argnums=tuple(range(len(xs))))(*xs)

    both(f, *values)
    both(lambda *xs: ops.tanh(f(*xs)) + 1.0, *values)
    both(slopes, *values)
    assert not [s for g in (f, slopes) for s in steps(g, *values) if isinstance(s, PythonStep)]


@pytest.mark.parametrize("axes", [0, 1, 2, ((0, 1), (1, 0)), (1, 0)])
def test_tensordot_and_products_of_vectors_are_native(axes):
    x, y = arrays(np.random.default_rng(0), "float32", (4, 4), (4, 4))
    functions = (
        lambda x, y: ops.tensordot(x, y, axes), ops.dot, ops.vdot, ops.outer,
        lambda x, y: ops.dot(x[0], ops.reshape(ops.tile(y, (2, 1)), (2, 4, 4))),
    )  # fmt: skip
    for f in functions:
        both(f, x, y)
        assert all(isinstance(s, NativeStep) for s in steps(f, x, y))


CODE = """
import numpy as np, autograd_nn as ag
from autograd_nn import ops
rng = np.random.default_rng(0)
a, b, v = rng.normal(size=(2, 7, 5)), rng.normal(size=(5, 9)), rng.normal(size=9)
f = lambda a, b, v: (ops.relu(a @ b + v), ops.einsum("bij,jk->kbi", a, b), a @ b[:, 0], (a[0] @ b > v, a[0] @ b * 2))
expected = ag.jit(f)(a, b, v)
ag.set_backend("numba")
flat = lambda r: [r[0], r[1], r[2], *r[3]]
for x, y in zip(flat(ag.jit(f)(a, b, v)), flat(expected)):
    np.testing.assert_allclose(x.numpy(), y.numpy(), rtol=1e-12, atol=1e-12)
print("equal")
"""


@pytest.mark.parametrize("variable", ["NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK"])
def test_the_plain_loop_covers_the_same_cases(variable):
    code = CODE.replace("import numpy", "import autograd_nn as ag; ag.set_backend('reference')\nimport numpy", 1)
    run = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, variable: "1"}, capture_output=True, text=True
    )
    assert run.stdout.strip() == "equal", run.stderr


def test_the_plain_loop_is_right_where_no_vectors_are_known(monkeypatch):
    monkeypatch.setattr(gemm, "host", lambda: None)
    a, b, v, c, w = arrays(np.random.default_rng(0), "float32", (13, 40), (40, 18), (18,), (13, 1), (13, 18))
    for ending in ENDINGS.values():
        both(lambda a, b, v, c, w, e=ending: e(a @ b, v, c, w), a, b, v, c, w)


OTHER = """
import autograd_nn.backends.numba.tiles.vectors as vectors
vectors.host = lambda: vectors.Host{host}
import numpy as np, autograd_nn as ag
from autograd_nn import ops
rng = np.random.default_rng(0)
for m, k, n in ((1, 40, 70), (3, 9, 33), (29, 300, 31), (16, 257, 65), (47, 33, 130), (5, 70, 1)):
    for dtype in ("float32", "float64"):
        a, b, v = (rng.normal(size=shape).astype(dtype) for shape in ((m, k), (k, n), (n,)))
        f = lambda a, b, v: (a @ b, ops.relu(a @ b + v), ops.transpose(b) @ ops.transpose(a))
        ag.set_backend("numba")
        found = ag.jit(f)(a, b, v)
        ag.set_backend("reference")
        for x, y in zip(found, ag.jit(f)(a, b, v)):
            scale = np.abs(y.numpy()).max() + 1e-30
            np.testing.assert_allclose(x.numpy() / scale, y.numpy() / scale, atol=1e-5 if dtype == "float32" else 1e-12)
print("equal")
"""


@pytest.mark.parametrize("host", ["(16, 8, 3)", "(16, 6, 2, False)", "(64, 14, 2)"])
def test_tiles_of_other_processors(host, tmp_path):
    environment = {**os.environ, "AUTOGRAD_NN_CACHE": str(tmp_path)}
    code = OTHER.replace("{host}", host)
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert run.stdout.strip() == "equal", run.stderr


def test_a_failing_shape_is_refused_before_any_work():
    with on("numba"), pytest.raises(ag.errors.ShapeError):
        ag.jit(lambda a, b: a @ b)(np.ones((2, 3)), np.ones((2, 3)))


def test_no_element_is_written_twice_or_left_out():
    """Ones add up to K exactly, whatever was in memory before."""
    with on("numba"):
        f = ag.jit(lambda a, b: a @ b)
        for m, k, n in ((37, 5, 29), (128, 784, 33), (5, 300, 16), (1, 7, 100), (64, 32, 1)):
            agree(f(np.ones((m, k), "float32"), np.ones((k, n), "float32")), np.full((m, n), np.float32(k)))
