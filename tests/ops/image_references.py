"""Operations on images by their definitions: one pixel after another, in plain loops."""

import colorsys
import itertools
import math

import numpy as np


def batches(function):
    """A function of a batch with channels last, for images with fewer axes or channels first."""

    def run(x, *args, data_format="channels_last", **kwargs):
        single = x.ndim == 3
        batch = x[None] if single else x
        first = data_format == "channels_first"
        found = function(np.moveaxis(batch, 1, -1) if first else batch, *args, **kwargs)
        found = np.moveaxis(found, 3, 1) if first else found
        return found[0] if single else found

    return run


def triangle(x):
    return max(0.0, 1 - abs(x))


def cubic(x):
    x = abs(x)
    if x < 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def lanczos(radius):
    def weight(x):
        if abs(x) > radius:
            return 0.0
        return float(np.sinc(x) * np.sinc(x / radius)) if abs(x) > 1e-3 else 1.0

    return weight


KERNELS = {
    "bilinear": triangle, "linear": triangle, "cubic": cubic, "bicubic": cubic, "lanczos3": lanczos(3),
    "lanczos5": lanczos(5),
}  # fmt: skip


def stretched(x, axis, target, scale, translation, kernel, antialias):
    """Each new element: the mean of the old ones, weighed by their distance from its place."""
    x = np.moveaxis(np.asarray(x, float), axis, 0)
    out = np.zeros((target, *x.shape[1:]))
    for k in range(target):
        place = (k + 0.5 - translation) / scale - 0.5
        wide = max(1 / scale, 1) if antialias else 1
        weights = np.array([kernel((place - n) / wide) for n in range(len(x))])
        if -0.5 <= place <= len(x) - 0.5:
            out[k] = np.tensordot(weights / weights.sum(), x, 1)
    return np.moveaxis(out, 0, axis)


def _resize(x, size, interpolation, antialias, crop, frame, value):
    height, width = x.shape[1:3]
    if crop:
        rows, columns = min(height, width * size[0] // size[1]), min(width, height * size[1] // size[0])
        top, left = (height - rows) // 2, (width - columns) // 2
        x = x[:, top : top + rows, left : left + columns]
    if frame:
        top = (max(height, width * size[0] // size[1]) - height) // 2
        left = (max(width, height * size[1] // size[0]) - width) // 2
        x = np.pad(x, [(0, 0), (top, top), (left, left), (0, 0)], constant_values=value)
    found = x
    for axis, target in enumerate(size, 1):
        now = x.shape[axis]
        if interpolation == "nearest":
            found = np.take(found, [int((k + 0.5) * now / target) for k in range(target)], axis)
        else:
            found = stretched(found, axis, target, target / now, 0.0, KERNELS[interpolation], antialias)
    if x.dtype.kind == "f" or interpolation == "nearest":
        return found
    return np.clip(np.round(found), x.min(), x.max()).astype(x.dtype)


def resize(
    x, size, interpolation="bilinear", antialias=False, crop_to_aspect_ratio=False, pad_to_aspect_ratio=False,
    fill_value=0.0, data_format="channels_last",
):  # fmt: skip
    return batches(_resize)(
        x, size, interpolation, antialias, crop_to_aspect_ratio, pad_to_aspect_ratio, fill_value,
        data_format=data_format,
    )  # fmt: skip


def scale_and_translate(x, output_shape, scale, translation, spatial_dims, method, antialias=True):
    for axis, factor, shift in zip(spatial_dims, scale, translation):
        x = stretched(x, axis, output_shape[axis], factor, shift, KERNELS[method], antialias)
    return x


def grey(x, data_format="channels_last"):
    def run(x):
        if x.shape[-1] == 1:
            return x
        return (0.2989 * x[..., :1] + 0.587 * x[..., 1:2] + 0.114 * x[..., 2:]).astype(x.dtype)

    return batches(run)(x, data_format=data_format)


def each_colour(function):
    def run(x, data_format="channels_last"):
        def colours(x):
            return np.array([function(*colour) for colour in x.reshape(-1, 3)]).reshape(x.shape)

        return batches(colours)(x, data_format=data_format)

    return run


def pad_images(x, top, left, bottom=None, right=None, height=None, width=None, data_format="channels_last"):
    def run(x):
        below = bottom if height is None else height - top - x.shape[1]
        beside = right if width is None else width - left - x.shape[2]
        out = np.zeros((len(x), top + x.shape[1] + below, left + x.shape[2] + beside, x.shape[3]))
        out[:, top : top + x.shape[1], left : left + x.shape[2]] = x
        return out

    return batches(run)(x, data_format=data_format)


def crop_images(x, top, left, bottom=None, right=None, height=None, width=None, data_format="channels_last"):
    def run(x):
        last = top + height if height else x.shape[1] - bottom
        return x[:, top:last, left : left + width if width else x.shape[2] - right]

    return batches(run)(x, data_format=data_format)


def patches(rank):
    def run(x, size, strides=None, padding="valid", data_format="channels_last"):
        single = x.ndim == rank + 1
        x = x[None] if single else x
        x = np.moveaxis(x, 1, -1) if data_format == "channels_first" else x
        size = np.broadcast_to(size, rank)
        steps = size if strides is None else np.broadcast_to(strides, rank)
        pads = [(0, 0)] * x.ndim
        if padding == "same":
            for axis, (k, s) in enumerate(zip(size, steps), 1):
                total = max((-(-x.shape[axis] // s) - 1) * s + k - x.shape[axis], 0)
                pads[axis] = (total // 2, total - total // 2)
        x = np.pad(x, pads)
        counts = [(n - k) // s + 1 for n, k, s in zip(x.shape[1:], size, steps)]
        out = np.zeros((len(x), *counts, int(np.prod(size)) * x.shape[-1]))
        for place in itertools.product(*map(range, counts)):
            window = (slice(p * s, p * s + k) for p, s, k in zip(place, steps, size))
            out[(slice(None), *place)] = x[(slice(None), *window)].reshape(len(x), -1)
        out = np.moveaxis(out, -1, 1) if data_format == "channels_first" else out
        return out[0] if single else out

    return run


def bell(size, sigma):
    weights = np.array([math.exp(-(((k - (size - 1) / 2) / sigma) ** 2) / 2) for k in range(size)])
    return weights / weights.sum()


def correlated(x, kernel, same=True):
    """Each pixel: the sum of its neighbours, weighed; zero beyond the edges."""
    rows, columns = kernel.shape
    if same:
        above, left = (rows - 1) // 2, (columns - 1) // 2
        x = np.pad(x, [(0, 0), (above, rows - 1 - above), (left, columns - 1 - left), (0, 0)])
    out = np.zeros((len(x), x.shape[1] - rows + 1, x.shape[2] - columns + 1, x.shape[3]))
    for i, j in itertools.product(range(rows), range(columns)):
        out += kernel[i, j] * x[:, i : i + out.shape[1], j : j + out.shape[2]]
    return out


def gaussian_blur(x, kernel_size=(3, 3), sigma=(1.0, 1.0), data_format="channels_last"):
    kernel = np.outer(bell(kernel_size[1], sigma[1]), bell(kernel_size[0], sigma[0]))
    return batches(lambda x: correlated(x, kernel))(x, data_format=data_format)


def sobel_edges(x, data_format="channels_last"):
    down = np.outer([-1, 0, 1], [1, 2, 1])
    return batches(lambda x: np.stack([correlated(x, down), correlated(x, down.T)], -1))(x, data_format=data_format)


def ssim(a, b, max_val=1.0, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03, data_format="channels_last"):
    single = a.ndim == 3
    a, b = (x[None] if single else x for x in (a, b))
    a, b = (np.moveaxis(x, 1, -1) if data_format == "channels_first" else x for x in (a, b))
    kernel = np.outer(bell(filter_size, filter_sigma), bell(filter_size, filter_sigma))

    def local(x):
        return correlated(x, kernel, same=False)

    mean_a, mean_b = local(a), local(b)
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    top = (2 * mean_a * mean_b + c1) * (2 * (local(a * b) - mean_a * mean_b) + c2)
    low = (mean_a**2 + mean_b**2 + c1) * (local(a * a) - mean_a**2 + local(b * b) - mean_b**2 + c2)
    found = (top / low).mean((1, 2, 3))
    return found[0] if single else found


PAD_MODES = {"nearest": "edge", "wrap": "wrap", "mirror": "reflect", "reflect": "symmetric"}


def element(x, place, mode, value):
    """The element at integer places, which may lie beyond the edges."""
    if mode == "constant":
        inside = all(0 <= k < n for k, n in zip(place, x.shape))
        return x[place] if inside else value
    far = 12
    return np.pad(x, far, PAD_MODES[mode])[tuple(k + far for k in place)]


def map_coordinates(x, coordinates, order, fill_mode="constant", fill_value=0.0):
    out = np.zeros(coordinates.shape[1:])
    for at in np.ndindex(out.shape):
        place = coordinates[(slice(None), *at)]
        if order == 0:
            out[at] = element(x, tuple(int(round(p)) for p in place), fill_mode, fill_value)
            continue
        for corner in itertools.product((0, 1), repeat=x.ndim):
            near = tuple(math.floor(p) + c for p, c in zip(place, corner))
            out[at] += math.prod(1 - abs(p - k) for p, k in zip(place, near)) * element(x, near, fill_mode, fill_value)
    return out if x.dtype.kind == "f" else np.round(out).astype(x.dtype)


def projected(x, numbers, interpolation, fill_value):
    """Images read where the projection of each pixel falls."""
    out = np.zeros(x.shape)
    for n, row, column, channel in np.ndindex(x.shape):
        a = numbers[n if len(numbers) > 1 else 0]
        scale = a[6] * column + a[7] * row + 1
        places = (a[3] * column + a[4] * row + a[5]) / scale, (a[0] * column + a[1] * row + a[2]) / scale
        order = 1 if interpolation == "bilinear" else 0
        read = map_coordinates(x[n, ..., channel], np.array(places)[:, None], order, fill_value=fill_value)
        out[n, row, column, channel] = read[0]
    return out


def affine_transform(x, transform, interpolation="bilinear", fill_value=0.0, data_format="channels_last"):
    numbers = np.atleast_2d(transform) * [1, 1, 1, 1, 1, 1, 0, 0]
    return batches(projected)(x, numbers, interpolation, fill_value, data_format=data_format)


def perspective_transform(x, start, end, interpolation="bilinear", fill_value=0.0, data_format="channels_last"):
    found = []
    for to, at in zip(start.reshape(-1, 4, 2), end.reshape(-1, 4, 2)):
        rows = [[x, y, 1, 0, 0, 0, -u * x, -u * y] for (x, y), (u, _) in zip(at, to)]
        rows += [[0, 0, 0, x, y, 1, -v * x, -v * y] for (x, y), (_, v) in zip(at, to)]
        found.append(np.linalg.solve(rows, [*to[:, 0], *to[:, 1]]))
    return batches(projected)(x, np.array(found), interpolation, fill_value, data_format=data_format)


def displaced(x, moves, interpolation, fill_mode, fill_value):
    out = np.zeros(x.shape)
    for n, row, column, channel in np.ndindex(x.shape):
        places = np.array([[row], [column]]) + moves[n, row, column][:, None]
        order = 1 if interpolation == "bilinear" else 0
        read = map_coordinates(x[n, ..., channel], places, order, fill_mode, fill_value)
        out[n, row, column, channel] = read[0]
    return out


def displace(x, moves, interpolation="bilinear", fill_mode="reflect", fill_value=0.0, data_format="channels_last"):
    every = moves if x.ndim == 4 else moves[None]
    return batches(displaced)(x, every, interpolation, fill_mode, fill_value, data_format=data_format)


def rearrange(x, pattern, **sizes):
    """The patterns of the tests, written out."""
    return {
        "b h w -> w (b h)": lambda: x.transpose(2, 0, 1).reshape(x.shape[2], -1),
        "b (h p) (w q) -> (b p q) h w": lambda: np.stack([b[p::2, q::3] for b in x for p in (0, 1) for q in range(3)]),
        "a b -> b a": lambda: x.T,
        "a (b c) -> c b a": lambda: x.reshape(len(x), 2, 2).transpose(2, 1, 0),
    }[pattern]()


IMAGE_REFERENCES = {
    "image.affine_transform": affine_transform,
    "image.crop_images": crop_images,
    "image.displace": displace,
    "image.extract_patches": patches(2),
    "image.extract_patches_3d": patches(3),
    "image.gaussian_blur": gaussian_blur,
    "image.hsv_to_rgb": each_colour(colorsys.hsv_to_rgb),
    "image.map_coordinates": map_coordinates,
    "image.pad_images": pad_images,
    "image.perspective_transform": perspective_transform,
    "image.resize": resize,
    "image.rgb_to_grayscale": grey,
    "image.rgb_to_hsv": each_colour(colorsys.rgb_to_hsv),
    "image.scale_and_translate": scale_and_translate,
    "image.sobel_edges": sobel_edges,
    "image.ssim": ssim,
    "rearrange": rearrange,
}
