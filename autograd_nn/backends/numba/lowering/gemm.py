"""Matrix products: which way each one takes.

C[M, N] = A[M, K] B[K, N] for each of several batches, in up to two axes, and then what an elementwise loop makes of
every element of C. A tile of work is a group of row blocks times one panel of columns, or several where an ending goes
along them. Its K is gone through in stretches, so that a panel's rows of B stay in the first cache; panels whose rows
lie far apart, or are columns, are packed before, once for all products that read them. Row blocks are of nearly equal
height, so that 11 rows are 6 + 5 and not 6 + 5 times 1.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..machine.kernel import build, interpreted
from ..machine.memory import View, row_major
from ..tiles import tile
from ..tiles.vectors import host
from .bind import Binding, Deferred, same_loop
from .expression import Body, copy_body
from .gemm_kernel import DEPTH, WAITING, Ending, Tiling, batch_axes, plain, tiled
from .loops import Loop
from .pack import by_panels
from .reduce import reduce

# The most bytes of A that a group reads again and again: they should stay in the second cache.
GROUP_BYTES = 2**17
# How many tiles of work there should be, and how many multiplications make one worth its turn.
WANTED, WORTH = 32, 50_000
# How many bytes of a row of C wait for their ending: memory is fetched ahead along rows of the ending's other operands.
# Long rows leave few rows to a group, for which B must be read again: it should be in the second cache then.
_ROW, _LONG_ROW, _NEAR = 512, 2048, 2**18
# Packing B pays where its rows lie further apart than so many bytes, all together further than so many, and are read
# for at least so many row blocks.
_CLOSE, _SPAN, _FEW_BLOCKS = 256, 2**15, 3
# The most rows that are each taken as a vector where B has contiguous columns.
_FEW_ROWS = 4
# The most bytes of B that are near enough to be read for every group; else a group has at least so many rows.
_FAR, _REREAD = 2**20, 48
# A product of few tiles with a K of at least this is cut into parts of K, as is any with a K twice as large.
_LONG, _FEW_TILES, _PARTS = 2048, 8, 16


class Product(NamedTuple):
    """A product to compute: stacks of matrices with four axes, [outer batch, inner batch, M, K] and [.., .., K, N].

    shape: that of the result, whose batch axes may be others.   lacks: which of its last two axes the result has not,
    because an operand is a vector
    """

    left: View
    right: View
    shape: tuple[int, ...]
    lacks: tuple[int, ...] = ()

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the operands and of the result."""
        return self.left.dtype

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Batches, M, K and N."""
        outer, inner, m, k = self.left.shape
        return outer * inner, m, k, self.right.shape[-1]

    def framed(self, view: View) -> View:
        """A view of the result, or broadcast to it, with axes for rows and for columns."""
        view = view.broadcast(self.shape)
        for axis in self.lacks:
            at = len(view.shape) + 1 + axis
            shape, strides = (*view.shape[:at], 1, *view.shape[at:]), (*view.strides[:at], 0, *view.strides[at:])
            view = view._replace(shape=shape, strides=strides)
        return view


class Produced(Deferred):
    """An elementwise loop of which operand `at` is a product, not computed yet."""

    def __init__(self, body: Body, sources: list[View], note: str, product: Product, at: int) -> None:
        super().__init__(body, sources, note)
        self.product, self.at = product, at
        self.turned = False

    @property
    def bare(self) -> bool:
        """Whether the product itself is the result."""
        return not self.body.lines and self.body.results == (f"v{self.at}",)

    def waits(self, t: Any, user: Any) -> bool:
        """Whether this may be left to the only reader of its node: an elementwise loop of the same shape."""
        return self.bare and same_loop(t, user)

    def within(self, b: Binding, body: Body, inputs: Sequence[Any], at: int, note: str) -> Deferred:
        """The loop of `body`, of which this is operand `at`."""
        sources = [b.view(i) for k, i in enumerate(inputs) if k != at]
        return Produced(body, sources, f"{self.note}\n{note}", self.product, at)

    def room(self, b: Binding, t: Any) -> View:
        """Where the product is to lie: as its only reader turns it, if tiles can be written there."""
        order = b.order(t)
        if order is None or not self._by_plain_tiles():
            return b.result(t)
        shape = self.product.shape
        made = b.fresh(tuple(shape[k] for k in order), self.product.dtype)
        view = made._replace(shape=shape, strides=tuple(made.strides[order.index(k)] for k in range(len(shape))))
        turned = view.strides[-1] != self.product.dtype.itemsize
        if turned and view.strides[-2] != self.product.dtype.itemsize or len(batch_axes(view).sizes) > 2:
            return b.result(t)
        self.turned = turned
        b.place(t, view)
        return view

    def _by_plain_tiles(self) -> bool:
        """Whether the product alone is the result, in tiles of matrices that are those of the result."""
        product = self.product
        _, m, _, n = product.sizes
        alone = self.bare and not product.lacks and product.shape[-2:] == (m, n) and min(m, n) > 1
        return alone and host() is not None and not interpreted() and _way(product) is None

    def run(self, b: Binding, targets: Sequence[View]) -> None:
        """Append the kernels that compute the product and what becomes of it."""
        way = _way(self.product)
        if way is None:
            recipe = _recipe(b, self)
            loop, views = recipe.again(targets)
            b.run(loop, views)
        elif self.bare:
            way(b, self.product, targets[0])
        else:
            made = b.fresh(self.product.shape, self.product.dtype)
            way(b, self.product, made)
            Deferred(self.body, [*self.sources[: self.at], made, *self.sources[self.at :]], self.note).run(b, targets)


class _Recipe(NamedTuple):
    """A product and its ending, so that the kernel can be written again for results that lie elsewhere."""

    body: Body
    sources: tuple[View, ...]
    at: int
    note: str
    product: Product
    operands: tuple[View, ...]
    swapped: bool
    write: Callable[[Ending], Loop]

    def again(self, targets: Sequence[View]) -> tuple[Loop, list[View]]:
        """The kernel for these targets, and its views: a source that lies where a target does is replaced there."""
        again = {k: j for k, v in enumerate(self.sources) for j, t in enumerate(targets) if v == t}
        kept = [v for k, v in enumerate(self.sources) if k not in again]
        framed = [self._framed(view) for view in (*kept, *targets)]
        ending = Ending(self.body, self.at, framed[: len(kept)], framed[len(kept) :], self.note, again)
        return self.write(ending)._replace(recipe=self), [*self.operands, *kept, *targets]

    def _framed(self, view: View) -> View:
        view = self.product.framed(view)
        return _swapped(view) if self.swapped else view


def multiply(b: Binding, left: View, right: View, target: View) -> None:
    """Append the kernels of `target = left @ right`, stacks of matrices with four axes each."""
    Produced(copy_body(), [], "matmul", Product(left, right, target.shape), 0).run(b, [target])


def _way(product: Product) -> Callable[[Binding, Product, View], None] | None:
    """How to compute a product where it is not done by tiles together with what becomes of it."""
    batches, m, k, n = product.sizes
    if host() is None or interpreted():
        return None
    if batches == 1 and min(m, n) > 1 and _cut_pays(m, k, n, _tiles(product)):
        return _in_parts
    size = product.dtype.itemsize
    if n == 1 and product.left.strides[-1] == size:
        return lambda b, p, target: _dots(b, p.left, _swapped(p.right), target)
    if m <= _FEW_ROWS and product.right.strides[-2] == size:
        return lambda b, p, target: _dots(b, _swapped(p.right), p.left, target)
    return None


def _cut_pays(m: int, k: int, n: int, tiles: int) -> bool:
    """Whether there are too few tiles for a team, or so many k that operands leave the cache before they are read
    again, while the parts take less memory than the operands."""
    if tiles <= _FEW_TILES:
        return k >= _LONG
    return k >= 2 * _LONG and -(-k // _LONG) * m * n <= k * (m + n)


def _swapped(view: View) -> View:
    """A view with its last two axes exchanged."""
    *shape, m, n = view.shape
    *strides, m_step, n_step = view.strides
    return view._replace(shape=(*shape, n, m), strides=(*strides, n_step, m_step))


def _blocks(m: int) -> int:
    shape = host()
    assert shape is not None
    return max(1, -(-m // shape.rows))


def _tiles(product: Product) -> int:
    _, m, _, n = product.sizes
    return _blocks(m) * -(-n // tile.width(product.dtype, m))


# --- by tiles


def _recipe(b: Binding, work: Produced) -> _Recipe:
    """How a product and its ending are computed; what lays out the operands is appended."""
    product, bare = work.product, work.bare
    given = work.body, tuple(work.sources), work.at, work.note, product
    if host() is None or interpreted():
        operands = product.left, product.right
        return _Recipe(*given, operands, False, partial(plain, operands))
    _, m, _, n = product.sizes
    column = n == 1 < m and m == (product.shape[-1] if -1 in product.lacks else product.shape[-2])
    swapped = column or work.turned
    if swapped:
        product = product._replace(left=_swapped(product.right), right=_swapped(product.left))
    tiling, operands = _tiling(b, product, bare)
    return _Recipe(*given, operands, swapped, partial(tiled, tiling, operands, direct=bare))


def _tiling(b: Binding, product: Product, bare: bool) -> tuple[Tiling, tuple[View, View]]:
    """The geometry of a product, and its operands as the kernel reads them."""
    _, m, k, n = product.sizes
    dtype, size = product.dtype, product.dtype.itemsize
    blocks = _blocks(m)
    right = _readable(b, product.right, blocks)
    shared = right.shape[:2] == (1, 1)
    b_outer, b_inner, *b_rest = (0, 0, *right.strides[2:]) if shared else right.strides
    packed = len(b_rest) == 3
    columns = tile.width(dtype, 0 if packed else m)
    b_panel, b_k = b_rest[:2] if packed else (columns * b_rest[1], b_rest[0])
    panels = -(-n // columns)
    left = product.left
    a_outer, a_inner, a_row, a_k = left.strides
    base, extra = divmod(m, blocks)
    last = n - (panels - 1) * columns
    heights = [base, base + 1 if extra else 0]
    low, high, low_last, high_last = (
        tile.tile(dtype, rows, count) if rows and count else 0 for count in (columns, last) for rows in heights
    )
    stretches = max(1, -(-k // DEPTH))
    row = _LONG_ROW if k * n * size <= _NEAR else _ROW
    each = 1 if bare else max(1, min(panels, row // (columns * size)))
    group = _group(product, blocks, each * columns)
    tiling = Tiling(
        columns, m, n, k, max(1, -(-k // stretches)), blocks, base, extra, panels, -(-panels // each), each,
        -(-blocks // group), group,
        left.shape[1], a_outer, a_inner, a_row, a_k, b_outer, b_inner, b_panel, b_k,
        each * columns * size, (low, high, low_last, high_last),
    )  # fmt: skip
    return tiling, (left, right)


def _readable(b: Binding, right: View, blocks: int) -> View:
    """B, as panels unless its rows are contiguous, and close or read for few row blocks only."""
    *_, k, n = right.shape
    rows = right.strides[-1] == right.dtype.itemsize or n == 1
    if rows and (right.strides[-2] <= _CLOSE or k * right.strides[-2] <= _SPAN or blocks < _FEW_BLOCKS):
        return right
    if not any(right.strides[:2]):
        right = right._replace(shape=(1, 1, k, n))
    if not rows and right.strides[-2] != right.dtype.itemsize and k > 1:
        right = b.copied(right)
    return by_panels(b, right)


def _group(product: Product, blocks: int, columns: int) -> int:
    """How many row blocks one tile of work has."""
    batches, m, k, n = product.sizes
    height = max(1, -(-m // blocks))
    worth = WORTH // max(1, height * columns * k)
    fair = -(-blocks * -(-n // columns) * batches // WANTED)
    kept = max(4, GROUP_BYTES // max(1, height * k * product.dtype.itemsize))
    waiting = WAITING // (height * columns * product.dtype.itemsize)
    again = -(-_REREAD // height) if k * n * product.dtype.itemsize > _FAR else 1
    return max(1, min(blocks, waiting, kept, max(worth, fair, again)))


# --- vectors, and sums so long that they are cut


def _dots(b: Binding, matrix: View, vectors: View, target: View) -> None:
    """The contiguous rows of a matrix times each of some vectors: target[v, r] = sum_k matrix[r, k] vectors[v, k]."""
    outer, inner, rows, k = matrix.shape
    count, size = vectors.shape[2], matrix.dtype.itemsize
    if vectors.strides[-1] != size and k > 1:
        vectors = b.copied(vectors)
    group = max(4, min(rows, WORTH // max(k * count, 1) // 4 * 4))
    groups = -(-rows // group)
    geometry = [
        rows, k, group, groups, inner, count, *matrix.strides[:3], *vectors.strides[:3], size, tile.dots(matrix.dtype),
    ]  # fmt: skip
    lines = [
        "rows, depth, group, groups, inner, count = g[0], g[1], g[2], g[3], g[4], g[5]",
        "a_outer, a_inner, a_row, b_outer, b_inner, b_next, size = g[6], g[7], g[8], g[9], g[10], g[11], g[12]",
        "for item in range(start, end):",
        "    batch, first = item // groups, item % groups * group",
        "    a = np.uint64(x0.ctypes.data) + batch // inner * a_outer + batch % inner * a_inner + first * a_row",
        "    b = np.uint64(x1.ctypes.data) + batch // inner * b_outer + batch % inner * b_inner",
        "    c = np.uint64(y0.ctypes.data) + (batch * count * rows + first) * size",
        "    for v in range(count):",
        "        call(g[13], a, a_row, b + v * b_next, depth, c + v * rows * size, size, min(group, rows - first))",
    ]
    kernel = build(lines, ["x0", "x1", "y0"], [matrix.dtype] * 3, 14, {"call": tile.CALL}, "matrix times vectors")
    b.run(Loop(kernel, geometry, outer * inner * groups if rows and count else 0), [matrix, vectors, target])


def _in_parts(b: Binding, product: Product, target: View) -> None:
    """Parts of K as batches of a product, which are then added up in order."""
    _, m, k, n = product.sizes
    left, right = product.left, product.right
    parts = min(_PARTS, 4 * k // _LONG) if _tiles(product) <= _FEW_TILES else -(-k // _LONG)
    depth, rest = divmod(k, parts)
    done, (a_row, a_k), (b_k, b_column) = depth * parts, left.strides[2:], right.strides[2:]
    pieces = b.fresh((parts + (rest > 0), m, n), target.dtype)
    a = left._replace(shape=(1, parts, m, depth), strides=(0, depth * a_k, a_row, a_k))
    c = right._replace(shape=(1, parts, depth, n), strides=(0, depth * b_k, b_k, b_column))
    multiply(b, a, c, pieces.cut(0, parts))
    if rest:
        a = left._replace(offset=left.offset + done * a_k, shape=(1, 1, m, rest))
        c = right._replace(offset=right.offset + done * b_k, shape=(1, 1, rest, n))
        multiply(b, a, c, pieces.cut(parts, parts + 1))
    whole = target._replace(shape=(m, n), strides=row_major((m, n), target.dtype.itemsize))
    reduce(b, "add", copy_body(), [pieces], pieces.shape, (0,), whole, "sum of parts of a product")
