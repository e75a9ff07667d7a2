"""One walk of one person, and what one camera records of it."""

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gaitjax.datasets.normalise import normalise
from gaitjax.datasets.synthetic.body import draw_body
from gaitjax.datasets.synthetic.camera import at_view
from gaitjax.datasets.synthetic.clothing import dress
from gaitjax.datasets.synthetic.draws import Traits, generator, vary
from gaitjax.datasets.synthetic.flesh import Solid, pose, undressed
from gaitjax.datasets.synthetic.gait import GAIT, Skeleton, draw_gait, rotation, walk
from gaitjax.datasets.synthetic.keypoints import keypoints
from gaitjax.datasets.synthetic.noise import spoil
from gaitjax.datasets.synthetic.render import masks, outlines

RATE = 25  # frames a second, as CASIA-B
VARIATION = 0.08  # of a trait from walk to walk, as a share of its range
TRACK = {"yaw": 4.0, "aside": 0.25, "ahead": 0.3}  # largest offsets: degrees, metres, metres


class Recording(NamedTuple):
    """What one camera records of one walk.

    Attributes:
        silhouette: uint8 [T, 64, 64].
        pose: float32 [T, 17, 3], COCO's key points: x, y in pixels, confidence.
    """

    silhouette: NDArray[np.uint8]
    pose: NDArray[np.float32]


class Walk(NamedTuple):
    """A walk in the world: all that a camera can record."""

    body: Traits
    skeleton: Skeleton
    solid: Solid


@functools.lru_cache(maxsize=1)  # one walk is recorded by many cameras
def walk_of(seed: int, identity: str, sequence: str, frames: tuple[int, int]) -> Walk:
    """The walk that all cameras see: the same on every call.

    Args:
        seed: of the whole dataset.
        identity: such as '001'; gives the body and the way to walk.
        sequence: the type, such as 'nm-01'; gives the clothes and this walk's own small changes.
        frames: smallest and largest number of frames, both included.
    """
    who = generator(seed, identity)
    body, (gait, factors) = draw_body(who), draw_gait(who)
    rng = generator(seed, identity, sequence)
    gait = vary(rng, gait, GAIT, VARIATION)
    length = int(rng.integers(frames[0], frames[1] + 1))
    phase = rng.random() + gait["cadence"] / RATE * np.arange(length, dtype=np.float64)
    skeleton = _on_track(walk(body, gait, factors, phase), rng)
    condition = sequence[:2]
    flesh = dress(undressed(body), condition, body, generator(seed, identity, condition))
    return Walk(body, skeleton, pose(flesh, skeleton))


def _on_track(skeleton: Skeleton, rng: np.random.Generator) -> Skeleton:
    """Nobody walks quite along the middle of the track: turns and moves the walk a little."""
    offset = {name: most * rng.uniform(-1, 1) for name, most in TRACK.items()}
    turn = rotation([offset["yaw"]], 0, 0)[0]
    place = np.array([offset["ahead"], offset["aside"], 0])
    return Skeleton(
        {name: point @ turn.T + place for name, point in skeleton.points.items()},
        {name: turn @ frame for name, frame in skeleton.frames.items()},
    )


def record(
    seed: int, identity: str, sequence: str, view: str, frames: tuple[int, int]
) -> Recording:
    """The recording of one sequence: a pure function of its arguments.

    Args:
        seed: of the whole dataset.
        identity: such as '001'.
        sequence: the type: 'nm', 'bg' or 'cl', a hyphen and the number of the walk.
        view: degrees between the direction of the walk and that to the camera, such as '090'.
        frames: smallest and largest number of frames, both included.
    """
    scene, camera = walk_of(seed, identity, sequence, frames), at_view(view)
    rng = generator(seed, identity, sequence, view)
    windows = spoil(masks(outlines(scene.solid, camera)), rng)
    points = keypoints(scene.skeleton, scene.body, camera, rng)
    cuts = [normalise(mask) for mask in windows]
    seen = [cut is not None for cut in cuts]
    return Recording(np.stack([cut for cut in cuts if cut is not None]), points[seen])
