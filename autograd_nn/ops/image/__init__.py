"""Operations on images: (height, width, channels), or a batch of them; channels first for data_format says so."""

from ...lazy import later
from .colours import hsv_to_rgb, rgb_to_grayscale, rgb_to_hsv
from .edges import crop_images, extract_patches, extract_patches_3d, pad_images
from .filters import gaussian_blur, sobel_edges, ssim
from .resize import resize, scale_and_translate
from .warp import affine_transform, displace, map_coordinates, perspective_transform

__all__ = [
    "affine_transform", "crop_images", "displace", "elastic_transform", "extract_patches", "extract_patches_3d",
    "gaussian_blur", "hsv_to_rgb", "map_coordinates", "pad_images", "perspective_transform", "resize",
    "rgb_to_grayscale", "rgb_to_hsv", "scale_and_translate", "sobel_edges", "ssim",
]  # fmt: skip

# Keras has it among the ops; here it draws from the random generators, which are made of ops.
__getattr__ = later(globals(), {"elastic_transform": "...random.elastic:elastic_transform"})
