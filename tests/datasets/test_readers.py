"""Raw files are read as they are, or refused by name; nothing is taken on the word of a header."""

import struct

import cv2
import numpy as np
import pytest

from gaitjax.datasets import readers
from gaitjax.datasets.normalise import normalise
from gaitjax.errors import UserError
from tests.datasets.raw import drawing

MASK = drawing.masks(3)[0]
OF_IMAGES = (readers.silhouette, readers.parsing, readers.image, readers.rgb)


def with_thumbnail(image):
    """A JPEG with a smaller one in its header, as cameras write them."""
    thumbnail = drawing.jpeg(image[::4, ::4].copy())
    segment = b"\xff\xe1" + struct.pack(">H", 2 + len(thumbnail)) + thumbnail
    return b"\xff\xd8" + segment + drawing.jpeg(image)[2:]


KINDS = {"png": drawing.png, "jpg": drawing.jpeg, "jpg with a thumbnail": with_thumbnail}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("read", OF_IMAGES)
def test_an_image_is_whole_or_refused_by_name(read, kind):
    content = KINDS[kind](MASK)
    assert len(read("001.png", content, 64)) == 1
    for size in (0, 1, 5, 12, 30, len(content) // 2, len(content) - 30, len(content) - 5):
        with pytest.raises(UserError, match=r"^001\.png: (empty \(0 bytes\)|.*cut off)"):
            read("001.png", content[:size], 64)


def test_a_header_that_promises_more_than_the_memory_is_not_believed():
    content = bytearray(drawing.png(MASK))
    content[16:24] = struct.pack(">II", 2**15, 2**15)
    with pytest.raises(UserError, match="32768 x 32768 pixels"):
        readers.image("001.png", bytes(content), 64)


def test_a_flipped_bit_of_a_png_is_refused():
    content = bytearray(drawing.png(MASK))
    content[len(content) // 2] ^= 1
    with pytest.raises(UserError, match=r"^001\.png: broken image"):
        readers.image("001.png", bytes(content), 64)


def test_a_mask_is_the_same_in_grey_and_in_colours():
    expected = normalise(MASK, 32)
    for image in (MASK, np.repeat(MASK[..., None], 3, axis=2), MASK.astype(np.uint16) * 257):
        found = readers.silhouette("001.png", drawing.png(image), 32)
        np.testing.assert_array_equal(found[0], expected)


@pytest.mark.parametrize("read", [readers.silhouette, readers.parsing])
def test_a_frame_without_anybody_is_refused(read):
    for content in (np.zeros_like(MASK), np.pad(np.full((2, 2), 255, np.uint8), 40)):
        with pytest.raises(UserError, match=r"^001\.png: empty frame"):
            read("001.png", drawing.png(content), 64)


def test_body_parts_keep_their_numbers():
    parts = drawing.parts(MASK)
    found = readers.parsing("001.png", drawing.png(parts), 40)
    assert found.shape == (1, 40, 40)
    assert set(np.unique(found)) == set(np.unique(parts))


def test_colours_are_red_first():
    image = np.zeros((8, 6, 3), np.uint8)
    image[...] = (200, 100, 50)
    content = drawing.png(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    np.testing.assert_array_equal(readers.rgb("a.png", content, 64)[0], image)


def test_a_pose_is_what_comes_after_the_size_of_the_image():
    found = readers.pose_text("a.txt", b"128, 64, 1.5,2,0.25, 3,4,1\n", 64)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [[[1.5, 2, 0.25], [3, 4, 1]]])


@pytest.mark.parametrize("text", [b"", b"1,2", b"1,2,3,4", b"1,2,3,x,5", b"1,2,3,nan,5", b"\xff,1"])
def test_text_that_is_no_pose_is_refused(text):
    with pytest.raises(UserError, match=r"^a\.txt: "):
        readers.pose_text("a.txt", text, 64)
