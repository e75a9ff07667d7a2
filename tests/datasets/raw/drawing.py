"""What the raw fixtures are made of: an ellipse that sways, in every form in which files come."""

import json
import pickle
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

FRAMES = 6


def masks(seed: int, shape: tuple[int, int] = (80, 60), frames: int = FRAMES) -> np.ndarray:
    """uint8 [T, h, w], 0 or 255; a seed, a person."""
    y, x = np.mgrid[: shape[0], : shape[1]] / np.array(shape)[:, None, None]
    centre = 0.5 + 0.05 * np.sin(np.arange(frames) + seed)[:, None, None]
    inside = ((y - 0.5) / 0.45) ** 2 + ((x - centre) / (0.15 + 0.02 * (seed % 7))) ** 2 < 1
    return (255 * inside).astype(np.uint8)


def parts(mask: np.ndarray) -> np.ndarray:
    """The numbers 1 to 11 from the head to the feet: as the masks."""
    rows = 1 + 11 * np.arange(mask.shape[-2])[:, None] // mask.shape[-2]
    return ((mask > 0) * rows).astype(np.uint8)


def colours(mask: np.ndarray, seed: int = 0) -> np.ndarray:
    """uint8 [..., h, w, 3], black around the person."""
    return (mask[..., None] // 255 * np.array([90 + seed % 100, 160, 220])).astype(np.uint8)


def poses(seed: int, frames: int = FRAMES, joints: int = 17) -> np.ndarray:
    """COCO's joints: float64 [T, 17, 3]."""
    rng = np.random.default_rng(seed)
    return rng.uniform((10, 5, 0.5), (50, 75, 1), (frames, joints, 3))


def clouds(seed: int, frames: int = FRAMES) -> list[np.ndarray]:
    """A LiDAR's points: float64 [P, 3] of a frame, P differs."""
    rng = np.random.default_rng(seed)
    return [rng.normal((8, 1, 0), (0.1, 0.2, 0.4), (40 + i, 3)) for i in range(frames)]


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def write_image(path: Path, image: np.ndarray) -> None:
    """A PNG or JPEG, after the path's ending; colours are red first."""
    flipped = image[..., ::-1] if image.ndim == 3 else image
    write(path, cv2.imencode(path.suffix, flipped)[1].tobytes())


def png(image: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".png", image)[1])


def jpeg(image: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".jpg", image)[1])


def pickled(content: object) -> bytes:
    return pickle.dumps(content)


def write_pickle(path: Path, content: object) -> None:
    write(path, pickled(content))


def write_json(path: Path, content: object) -> None:
    write(path, json.dumps(content).encode())


def sequences(
    identities: tuple[str, ...], types: tuple[str, ...], views: tuple[str, ...]
) -> Iterator[tuple[int, str]]:
    """(seed, 'identity/type/view') of all of them; one person, one seed."""
    for seed, identity in enumerate(identities):
        for type_ in types:
            for view in views:
                yield seed, f"{identity}/{type_}/{view}"
