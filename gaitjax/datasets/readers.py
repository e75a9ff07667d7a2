"""What a raw file becomes: f(path, content, size) -> [n, ...], one frame for an image.

The `read` of `datasets.Raw`. All raise a UserError that names the file for what is broken or shows
nobody; `size` is the height of prepared silhouettes in pixels.
"""

import struct

import cv2
import numpy as np

from gaitjax import pickles
from gaitjax.datasets.normalise import cut, locate, normalise
from gaitjax.errors import UserError

LARGEST = 2**26  # pixels of an image; OpenCV takes the memory that a header asks for
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
FRAMES, NO_FRAME = range(0xC0, 0xD0), (0xC4, 0xC8, 0xCC)  # markers of JPEG that state a size
SCAN = 0xDA


def silhouette(path: str, content: bytes, size: int) -> np.ndarray:
    """A mask, cut out and centred by `normalise`: uint8 [1, size, size].

    Args:
        path: of the image, for errors.
        content: of the file, PNG or JPEG.
        size: height and width of the result, pixels.

    Raises:
        UserError: if it is no whole image, or shows nobody.
    """
    found = normalise(_decode(path, content, cv2.IMREAD_GRAYSCALE), size)
    if found is None:
        raise UserError(f"{path}: empty frame")
    return found[None]


def parsing(path: str, content: bytes, size: int) -> np.ndarray:
    """The numbers of body parts, cut as the silhouette that they make up: uint8 [1, size, size].

    Args:
        path: of the image, for errors.
        content: of the file, PNG, 0 where there is no person.
        size: height and width of the result, pixels.

    Raises:
        UserError: if it is no whole image, or shows nobody.
    """
    parts = _decode(path, content, cv2.IMREAD_GRAYSCALE)
    mask = np.where(parts > 0, np.uint8(255), np.uint8(0))
    found = locate(mask, size, cv2.INTER_NEAREST)
    if found is None:
        raise UserError(f"{path}: empty frame")
    return cut(parts, found, cv2.INTER_NEAREST)[None]


def image(path: str, content: bytes, size: int) -> np.ndarray:
    """A grey image as it is: uint8 [1, h, w]. Raises a UserError if it is no whole image."""
    del size
    return _decode(path, content, cv2.IMREAD_GRAYSCALE)[None]


def rgb(path: str, content: bytes, size: int) -> np.ndarray:
    """An image in colour as it is: uint8 [1, h, w, 3]. Raises a UserError if it is no whole one."""
    del size
    return cv2.cvtColor(_decode(path, content, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)[None]


def pose_text(path: str, content: bytes, size: int) -> np.ndarray:
    """Key points as text: height and width of the image, then x, y and confidence of each joint.

    Args:
        path: of the file, for errors.
        content: numbers, separated by commas.
        size: without a meaning here.

    Returns:
        float32 [1, joints, 3].

    Raises:
        UserError: if it holds anything else.
    """
    del size
    try:
        numbers = np.array([float(number) for number in content.split(b",")])
    except ValueError as error:
        raise UserError(f"{path}: no numbers between commas: {error}") from error
    if len(numbers) < 5 or len(numbers) % 3 != 2 or not np.isfinite(numbers).all():
        raise UserError(f"{path}: {len(numbers)} numbers; expected two and three for every joint")
    return numbers[2:].reshape(1, -1, 3).astype(np.float32)


def pickle(path: str, content: bytes, size: int) -> np.ndarray:
    """A pickled array as it is: [n, ...]. Raises a UserError if it is none; it is not unpickled."""
    del size
    return pickles.parse(path, content)


def ratio(path: str, content: bytes, size: int) -> np.ndarray:
    """Width / height of an image: float64 [1]. Raises a UserError if it is no whole image."""
    _, height, width = image(path, content, size).shape
    return np.array([width / height])


def points(path: str, content: bytes, size: int) -> np.ndarray:
    """A pickled list of clouds of points, filled up to the largest of them.

    Args:
        path: of the pickle, for errors.
        content: of the file: T arrays [P, 3 or more] of x, y, z, each with a P of its own.
        size: without a meaning here.

    Returns:
        float32 [T, P, 3], metres, NaN where a cloud has no more points.

    Raises:
        UserError: if it holds anything else; it is not unpickled.
    """
    del size
    clouds = pickles.parse_list(path, content)
    if not all(cloud.ndim == 2 and cloud.shape[1] >= 3 for cloud in clouds):
        raise UserError(f"{path}: arrays that are no clouds of points [points, x y z]")
    most = max(map(len, clouds), default=0)
    if len(clouds) * most > LARGEST:
        raise UserError(f"{path}: {len(clouds)} clouds of up to {most} points, too many")
    filled = np.full((len(clouds), most, 3), np.nan, np.float32)
    for row, cloud in zip(filled, clouds, strict=True):
        row[: len(cloud)] = cloud[:, :3]
    return filled


def _decode(path: str, content: bytes, flags: int) -> np.ndarray:
    """The pixels of a PNG or JPEG, which is whole and of a bearable size."""
    if not content:
        raise UserError(f"{path}: empty (0 bytes)")
    try:
        height, width = _png(content) if content.startswith(PNG) else _jpeg(content)
    except (IndexError, ValueError, struct.error) as error:
        raise UserError(f"{path}: no whole PNG or JPEG image (cut off?)") from error
    if height * width > LARGEST:
        raise UserError(f"{path}: {height} x {width} pixels, more than {LARGEST}")
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error as error:
        raise UserError(f"{path}: broken image: {error.err}") from error
    if pixels is None:
        raise UserError(f"{path}: broken image")
    return pixels


def _png(content: bytes) -> tuple[int, int]:
    """Height and width of a PNG that has an end: releases of OpenCV fill up what is missing."""
    content.index(b"IEND", len(PNG))
    width, height = struct.unpack(">II", content[16:24])
    return height, width


def _jpeg(content: bytes) -> tuple[int, int]:
    """Height and width of a JPEG that has an end, from the segment that announces the scan."""
    size = (0, 0)
    start = content.index(JPEG, 0, len(JPEG)) + len(JPEG)
    while (marker := content[start + 1]) != SCAN:
        if content[start] != 0xFF:
            raise ValueError
        length, height, width = struct.unpack(">HxHH", content[start + 2 : start + 9])
        if marker in FRAMES and marker not in NO_FRAME:
            size = height, width
        start += 1 if marker == 0xFF else 2 + length  # markers may be padded
    content.index(b"\xff\xd9", start)
    return size
