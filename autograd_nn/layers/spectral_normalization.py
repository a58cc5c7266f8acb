"""SpectralNormalization: weights divided by their largest singular value."""

from typing import Any

from .. import initializers, ops
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError
from ..saving.registry import register
from .input_spec import InputSpec
from .weights import check_positive_int
from .wrappers import Wrapper


@register()
class SpectralNormalization(Wrapper):
    """A layer whose kernel is divided by an estimate of its largest singular value before each step of training.

    layer:            one with a `kernel`, such as Dense or Conv2D, or with `embeddings`
    power_iterations: steps of the power method per call, from the singular vector that the last call found

    Input and output: those of the layer. The kernel itself is replaced, so that nothing is different outside of
    training. Miyato et al. 2018, arXiv 1802.05957. Raises ArgumentTypeError for a layer without a kernel.

    >>> import autograd_nn as ag
    >>> layer = ag.layers.SpectralNormalization(ag.layers.Dense(2))
    >>> layer(ag.ops.ones((3, 4)), training=True).shape
    (3, 2)
    """

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs: Any) -> None:
        count = check_positive_int(power_iterations, "SpectralNormalization: power_iterations")
        super().__init__(layer, **kwargs)
        self.power_iterations = count

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        # A weight of this layer too, and the first one, as in Keras.
        self.kernel = self._normalized()
        self._own_variables(seeds=False)
        self.vector_u = self.add_weight(
            (1, self.kernel.shape[-1]), initializers.TruncatedNormal(stddev=0.02), dtype=self.kernel.dtype,
            trainable=False, name="vector_u",
        )  # fmt: skip

    def _normalized(self) -> Any:
        """The weight that is normalized."""
        for name in ("kernel", "embeddings"):
            if hasattr(self.layer, name):
                return getattr(self.layer, name)
        raise ArgumentTypeError(
            f"layer {self.name!r}: {type(self.layer).__name__} has neither 'kernel' nor 'embeddings' to normalize"
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        if training:
            vector, kernel = self.normalized_weights()
            self.vector_u.assign(vector)
            self.kernel.assign(_in_place_of(self.kernel.current(), kernel))
        output = self.layer(inputs, training=training)
        return ops.cast(output, inputs.dtype) if inputs.dtype.kind == "f" else output

    def normalized_weights(self) -> tuple[Tensor, Tensor]:
        """The singular vector after the steps of the power method, and the kernel divided by its singular value.

        A kernel of zeros stays as it is, and so does the vector.
        """
        kernel, first = self.kernel.current(), self.vector_u.current()
        weights = ops.reshape(kernel, (-1, kernel.shape[-1]))
        right = first
        for _ in range(self.power_iterations):
            left = ops.normalize(ops.matmul(right, ops.transpose(weights)), axis=None)
            right = ops.normalize(ops.matmul(left, weights), axis=None)
        value = ops.reshape(ops.matmul(ops.matmul(left, weights), ops.transpose(right)), ())
        zero = ops.all(ops.equal(kernel, 0))
        return ops.where(zero, first, right), kernel / ops.where(zero, 1, value)


@ops.custom_gradient
def _in_place_of(old: Tensor, new: Tensor) -> Any:
    """The new kernel; what its gradient is, the weight gets, whose value it becomes."""
    return new, lambda g: (g, None)
