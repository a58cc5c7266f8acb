"""BatchNormalization: moments of the batch while training, moving ones afterwards."""

from typing import Any

from .. import initializers, ops
from ..engine.tensor import Tensor, recording
from ..errors import InvalidArgument, ShapeError
from ..ops.nn import Limits
from ..saving.registry import register
from .core import as_float
from .input_spec import InputSpec
from .normalization import Affine, check_one_axis, check_share, sizes_along


@register()
class BatchNormalization(Affine):
    """Brings each channel to mean 0 and variance 1 over the batch, then multiplies by `gamma` and adds `beta`.

    axis:     the axis of channels
    momentum: how much of the moving mean and variance stays at each step
    epsilon:  added to the variance
    center, scale: whether there is a beta, and a gamma, both (channels,)
    beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer: of the four
    beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: of the two that are trained
    renorm, renorm_clipping, renorm_momentum, synchronized: names of Keras; only their defaults are known here

    With training=True the moments are those of the batch (of the steps that `mask`, without the axis of channels,
    keeps), and the moving ones take them in. Otherwise, and always while `trainable` is False, it uses the moving ones.

    Input and output: any shape with a known number of channels. Raises InvalidArgument for renorm=True,
    ShapeError for a mask that does not fit. Ioffe and Szegedy 2015, arXiv 1502.03167.

    >>> import autograd_nn as ag
    >>> layer = ag.layers.BatchNormalization(momentum=0.5, epsilon=0.0)
    >>> layer([[1.0], [3.0]], training=True).tolist()
    [[-1.0], [1.0]]
    >>> layer.moving_mean.tolist()
    [1.0]
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        given = locals()
        for name in ("renorm", "synchronized"):
            if given[name]:
                raise InvalidArgument(f"BatchNormalization: {name}=True is not supported; leave it out")
        axis = check_one_axis(axis, "BatchNormalization")
        momentum = check_share(momentum, "BatchNormalization: momentum", 1)
        epsilon = check_share(epsilon, "BatchNormalization: epsilon")
        super().__init__(**kwargs)
        self.axis, self.momentum, self.epsilon = axis, momentum, epsilon
        self.renorm, self.renorm_clipping, self.renorm_momentum = renorm, renorm_clipping, renorm_momentum
        self.synchronized = synchronized
        self._keep_affine(given)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        ((at, channels),) = sizes_along(self.axis, input_shape, self.name).items()
        self._others = [k for k in range(len(input_shape)) if k != at]
        self._add_affine((channels,), self.scale, self.center)
        for name in ("moving_mean", "moving_variance"):
            start = getattr(self, f"{name}_initializer")
            setattr(self, name, self.add_weight((channels,), start, trainable=False, name=name))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        x = as_float(inputs, self.compute_dtype)
        if mask is not None and mask.ndim != x.ndim - 1:
            raise ShapeError(
                f"layer {self.name!r}: mask must have one axis less than the input, got mask {mask.shape} for input "
                f"{x.shape}"
            )
        mean, variance = self.moving_mean, self.moving_variance
        if training and self.trainable:
            mean, variance = self._moments(x, mask)
            self._take_in(mean, variance)
        y = ops.batch_normalization(x, mean, variance, self.axis, self.beta, self.gamma, self.epsilon)
        return ops.cast(y, self.compute_dtype)

    def _moments(self, x: Tensor, mask: Any) -> tuple[Tensor, Tensor]:
        if mask is None:
            return ops.moments(x, self._others)
        kept = ops.expand_dims(ops.cast(mask, "bool"), -1)
        count = ops.sum(ops.cast(ops.broadcast_like(kept, x), x.dtype), self._others) + Limits.epsilon
        mean = ops.sum(ops.where(kept, x, 0), self._others) / count
        sizes = [-1 if k not in self._others else 1 for k in range(x.ndim)]
        distance = ops.where(kept, x - ops.reshape(mean, sizes), 0)
        return mean, ops.sum(ops.square(distance), self._others) / count

    def _take_in(self, mean: Tensor, variance: Tensor) -> None:
        with recording(False):
            for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.assign(moving * self.momentum + ops.cast(new, moving.dtype) * (1 - self.momentum))
