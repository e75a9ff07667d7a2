"""What is recorded of a shot: a function for every modality."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from gaitjax.datasets.normalise import cut
from gaitjax.datasets.synthetic.camera import HEIGHT, WIDTH
from gaitjax.datasets.synthetic.draws import generator
from gaitjax.datasets.synthetic.flesh import Solid
from gaitjax.datasets.synthetic.lidar import clouds
from gaitjax.datasets.synthetic.render import Mask, distances, numbers
from gaitjax.datasets.synthetic.sequence import Shot
from gaitjax.datasets.synthetic.smpl import smpl

Image = NDArray[np.uint8]

CROP = 128  # pixels of what shows the person with its surroundings
HEAD, TRUNK, DRESS = 1, 2, 11  # Gait3D-Parsing's classes; of limbs those of the left side
LIMBS = {
    **dict.fromkeys(("elbow", "wrist"), 3),
    "hand": 5,
    **dict.fromkeys(("knee", "calf", "ankle"), 7),
    **dict.fromkeys(("heel", "toe"), 9),
}
CLOTHES = {HEAD: "skin", TRUNK: "shirt", DRESS: "coat", 3: "shirt", 5: "skin", 7: "legs", 9: "feet"}
DEEP = 0.8  # metres before and behind the middle of the body that depth images tell apart
LATENT = 48  # columns of latents; they have twice as many rows
GRAIN = 6.0  # standard deviation of a pixel's noise, grey levels


def silhouette(shot: Shot) -> Image:
    """uint8 [T, 64, 64], cut as OpenGait cuts."""
    pairs = zip(shot.found, shot.cuts, strict=True)
    return np.stack([cut(mask, found, cv2.INTER_CUBIC) for mask, found in pairs])


def pose(shot: Shot) -> NDArray[np.float32]:
    """float32 [T, 17, 3], COCO's key points: x, y in pixels, confidence."""
    return shot.points


def parsing(shot: Shot) -> Image:
    """uint8 [T, 64, 64], Gait3D-Parsing's classes 1..11, cut as the silhouettes are."""
    classes = np.array([0, *map(part_class, shot.walk.parts)], np.uint8)
    return _cut_all(shot, [classes[parts] for parts in _parts(shot)])


def depth(shot: Shot) -> Image:
    """uint8 [T, 64, 64, 3], distances from the camera as colours, cut as the silhouettes are."""
    metres = distances(shot.walk.solid, shot.camera)[shot.seen]
    nearness = 0.5 - (metres - metres.mean(axis=1, keepdims=True)) / (2 * DEEP)
    grey = np.clip(255 * nearness, 0, 255).astype(np.uint8)
    images = []
    for parts, values in zip(_parts(shot), grey, strict=True):
        colours = cv2.applyColorMap(np.array([[0, *values]], np.uint8), cv2.COLORMAP_JET)[0]
        images.append(np.where(parts[..., None] > 0, colours[parts], 0).astype(np.uint8))
    return _cut_all(shot, images)


def mask(shot: Shot) -> Image:
    """uint8 [T, 128, 128], the person's box stretched to a square; its width is in `ratio`."""
    boxes = zip(shot.found, map(_box, shot.found), strict=True)
    return np.stack([_square(image[rows, columns]) for image, (rows, columns) in boxes])


def ratio(shot: Shot) -> NDArray[np.float32]:
    """float32 [T], width / height of the person's box."""
    boxes = [image[_box(image)].shape for image in shot.found]
    return np.array([width / height for height, width in boxes], np.float32)


def rgb(shot: Shot) -> Image:
    """uint8 [T, 128, 128, 3], the pixels of `mask` in colour, before a background."""
    seed, _, _, view = shot.name
    rng = generator(*shot.name, "rgb")
    colours = _colours(shot)
    rough = generator(seed, view, "background").uniform(40, 215, (6, 8, 3))
    scene = cv2.resize(rough, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    images = []
    for parts, (x, y), found in zip(_parts(shot), shot.places, shot.found, strict=True):
        behind = scene[y : y + found.shape[0], x : x + found.shape[1]]
        clean = np.where(parts[..., None] > 0, colours[parts.astype(int) - 1], behind)
        image = np.clip(clean + rng.normal(0, GRAIN, clean.shape), 0, 255).astype(np.uint8)
        images.append(_square(image[_box(found)]))
    return np.stack(images)


def points(shot: Shot) -> NDArray[np.float32]:
    """float32 [T, P, 3], metres ahead, to the left and up of a LiDAR, NaN where there are fewer."""
    solid, rng = _solid(shot), generator(*shot.name, "points")
    parts = numbers(shot.corners, solid, shot.camera)
    found = clouds(parts, shot.places, solid, shot.camera, rng)
    filled = np.full((len(found), max(map(len, found)), 3), np.nan, np.float32)
    for row, cloud in zip(filled, found, strict=True):
        row[: len(cloud)] = cloud
    return filled


def latents(shot: Shot) -> NDArray[np.float32]:
    """float32 [T, 96, 48, 4], colours and their mean in -1..1 where others have diffusion features.

    They show the rows of the silhouettes, and the middle half of their columns.
    """
    colours = np.concatenate([np.zeros((1, 3)), _colours(shot)]).astype(np.uint8)
    images = _cut_all(shot, [colours[parts] for parts in _parts(shot)])
    size, start = (2 * LATENT, 2 * LATENT), LATENT // 2
    large = np.stack([cv2.resize(image, size) for image in images])[:, :, start : start + LATENT]
    channels = np.concatenate([large, large.mean(axis=-1, keepdims=True)], axis=-1)
    return np.asarray(channels / 127.5 - 1, np.float32)


RECORDERS: dict[str, Callable[[Shot], NDArray[np.uint8] | NDArray[np.float32]]] = {
    f.__name__: f
    for f in (silhouette, pose, parsing, depth, rgb, mask, ratio, smpl, points, latents)
}


def part_class(part: tuple[str, ...]) -> int:
    """Gait3D-Parsing's class of a part, by the names of its ellipsoids."""
    if "bag" in part:
        return TRUNK
    if part[0] in ("head", "throat", "hood"):
        return HEAD
    if part[-1].endswith("hem"):
        return DRESS
    side, _, end = part[-1].partition("_")
    return LIMBS[end] + (side == "right") if end in LIMBS else TRUNK


def _colours(shot: Shot) -> NDArray[np.float64]:
    """Red, green and blue of every part, 0..255."""
    seed, identity, sequence, _ = shot.name
    worn = generator(seed, identity, sequence[:2], "clothes")
    palette = {name: worn.uniform(30, 225, 3) for name in dict.fromkeys(CLOTHES.values())}
    palette["skin"] = np.array([205, 165, 140]) * generator(seed, identity, "skin").uniform(0.4, 1)
    return np.array([palette[_clothes(part)] for part in shot.walk.parts])


def _clothes(part: tuple[str, ...]) -> str:
    """What covers a part; the right side is dressed as the left one."""
    number = part_class(part)
    return CLOTHES.get(number, CLOTHES.get(number - 1, ""))


def _solid(shot: Shot) -> Solid:
    """The walker in the frames of the shot."""
    solid = shot.walk.solid
    return solid._replace(centres=solid.centres[shot.seen], axes=solid.axes[shot.seen])


def _parts(shot: Shot) -> list[Mask]:
    """1 + the part at every pixel that segmentation finds; at ragged edges that of a neighbour."""
    seen = numbers(shot.corners, _solid(shot), shot.camera)
    result = []
    for parts, found in zip(seen, shot.found, strict=True):
        wider = cv2.dilate(parts, np.ones((5, 5), np.uint8))
        result.append(np.where(found > 0, np.where(parts > 0, parts, wider), 0).astype(np.uint8))
    return result


def _cut_all(shot: Shot, images: list[Image]) -> Image:
    pairs = zip(images, shot.cuts, strict=True)
    return np.stack([cut(image, found, cv2.INTER_NEAREST) for image, found in pairs])


def _box(found: Mask) -> tuple[slice, slice]:
    """Rows and columns of the smallest box around a person."""
    rows, columns = (np.flatnonzero(found.any(axis=axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _square(image: Image) -> Image:
    return np.asarray(cv2.resize(image, (CROP, CROP), interpolation=cv2.INTER_LINEAR), np.uint8)
