"""Fourier transforms, images and distances: torch's functions, or those that Keras makes of them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from keras import ops as K

T = torch.Tensor


def pair(z: T) -> Any:
    return z.real, z.imag


def batched(function: Callable[..., T]) -> Callable[..., T]:
    """A transform that also takes a batch of nothing, which torch's own do not."""

    def run(x: T, *args: Any, **kwargs: Any) -> T:
        if x.numel():
            return function(x, *args, **kwargs)
        return function(torch.cat([x, x.new_zeros(1, *x.shape[1:])]), *args, **kwargs)[:0]

    return run


def fourier(re: T, im: T, inverse: bool = False) -> Any:
    z = torch.complex(re, im)
    return pair(batched(torch.fft.ifft)(z, norm="forward") if inverse else batched(torch.fft.fft)(z))


def stft(x: T, *args: Any, **kwargs: Any) -> Any:
    if x.numel():
        return K.stft(x, *args, **kwargs)
    return tuple(part[:0] for part in K.stft(torch.cat([x, x.new_zeros(1, *x.shape[1:])]), *args, **kwargs))


def istft(
    x: Any, length: int, stride: int, fft_length: int, size: Any = None, window: Any = "hann", center: bool = True
):
    """The windows of irfft weighed, added up, and divided by the sum of the squared weights."""
    left = (fft_length - length) // 2
    names = {"hann": torch.hann_window, "hamming": torch.hamming_window}
    if window is None:
        weights = torch.ones(fft_length, dtype=torch.float64)
    else:
        given = names[window](length, dtype=torch.float64) if isinstance(window, str) else window
        weights = torch.nn.functional.pad(given, (left, fft_length - length - left))
    frames = batched(torch.fft.irfft)(torch.complex(*x), fft_length) * weights
    count, batch = frames.shape[-2], frames.shape[:-2]
    total = (count - 1) * stride + fft_length

    def added(frames: T) -> T:
        columns = frames.reshape(-1, count, fft_length).mT
        out = torch.nn.functional.fold(columns, (1, total), (1, fft_length), stride=(1, stride))
        return out.reshape(*frames.shape[:-2], total)

    norm = added((weights**2).expand(count, fft_length)[None])[0]
    signal = torch.zeros(*batch, total, dtype=torch.float64) if 0 in batch else added(frames)
    if 0 in batch:
        signal = signal + 0 * frames.sum()
    signal = signal / torch.where(norm > 1e-10, norm, 1) * (fft_length / stride if window is None else 1)
    start = fft_length // 2 if center else 0
    return signal[..., start : total - start if size is None else start + size]


def distances(x: T, y: T) -> T:
    return torch.linalg.vector_norm(x[..., :, None, :] - y[..., None, :, :], dim=-1)


def lu_rows(x: T) -> Any:
    lu, pivots = torch.linalg.lu_factor(x)
    order = torch.arange(x.shape[-1]).expand(x.shape[:-1]).clone()
    for place in range(x.shape[-1]):
        best = pivots[..., place, None].long() - 1
        mine = order[..., place, None].clone()
        order[..., place, None] = order.gather(-1, best)
        order.scatter_(-1, best, mine)
    return lu, pivots - 1, order


def pooled(function: Callable[..., T]) -> Callable[..., T]:
    return lambda x, size, data_format="channels_last": function(x, size, data_format=data_format)


def unique(x: T, **settings: Any) -> Any:
    if settings or not x.requires_grad:
        return K.unique(x, **settings)
    return x[torch.tensor(np.unique(x.detach().numpy(), return_index=True)[1])]


def blur(x: T, size: Any = (3, 3), sigma: Any = (1.0, 1.0), data_format: str = "channels_last") -> T:
    """Keras' torch backend exchanges the sides of a window that is not a square."""

    def bell(count: int, width: float) -> T:
        places = torch.arange(count, dtype=torch.float64) - (count - 1) / 2
        weights = torch.exp(-((places / width) ** 2) / 2)
        return weights / weights.sum()

    first = x if data_format == "channels_first" else x.movedim(-1, -3)
    kernel = torch.outer(bell(size[1], sigma[1]), bell(size[0], sigma[0]))
    kernel = kernel.expand(first.shape[-3], 1, *kernel.shape)
    y = torch.nn.functional.conv2d(first, kernel, padding="same", groups=len(kernel))
    return y if data_format == "channels_first" else y.movedim(-3, -1)


TORCH_SIGNALS: dict[str, Callable[..., Any]] = {
    "adaptive_average_pool": pooled(K.adaptive_average_pool),
    "adaptive_max_pool": pooled(K.adaptive_max_pool),
    "cdist": distances,
    "fft": lambda x: fourier(*x),
    "fft2": lambda x: pair(batched(torch.fft.fft2)(torch.complex(*x))),
    "fold": torch.nn.functional.fold,
    "fourier": fourier,
    "ifft2": lambda x: pair(batched(torch.fft.ifft2)(torch.complex(*x))),
    "image.crop_images": K.image.crop_images,
    "image.extract_patches": K.image.extract_patches,
    "image.extract_patches_3d": K.image.extract_patches_3d,
    "image.gaussian_blur": blur,
    "image.hsv_to_rgb": K.image.hsv_to_rgb,
    "image.pad_images": K.image.pad_images,
    "image.rgb_to_grayscale": K.image.rgb_to_grayscale,
    "image.rgb_to_hsv": K.image.rgb_to_hsv,
    "image.sobel_edges": K.image.sobel_edges,
    "irfft": lambda x, n=None: batched(torch.fft.irfft)(torch.complex(*x), n),
    "istft": istft,
    "lu_factor": lambda x: lu_rows(x)[:2],
    "lu_rows": lu_rows,
    "psnr": lambda x, y, top: K.psnr(x, y, top),
    "rearrange": K.rearrange,
    "rfft": lambda x, n=None: pair(batched(torch.fft.rfft)(x, n)),
    "stft": stft,
    "unfold": torch.nn.functional.unfold,
    "unique": unique,
    "view": lambda x, dtype: x.clone(memory_format=torch.contiguous_format).view(getattr(torch, dtype)),
}
_JAX = "torch reads between pixels in another way: compared with jax in test_images.py"
WITHOUT_SIGNALS = {
    "image.affine_transform": _JAX,
    "image.displace": "torch and Keras have no such function: the reference is written out",
    "image.map_coordinates": _JAX,
    "image.perspective_transform": _JAX,
    "image.resize": _JAX,
    "image.scale_and_translate": _JAX,
    "image.ssim": "Keras computes it in float32 whatever the images are: compared in test_images.py",
    "kaiser": "torch's window has another formula: NumPy's is the reference",
    "unique_places": "a part of unique",
}
