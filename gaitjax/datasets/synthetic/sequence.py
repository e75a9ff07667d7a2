"""One walk of one person, and what one camera sees of it."""

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gaitjax.datasets.normalise import Cut, locate
from gaitjax.datasets.synthetic.body import draw_body
from gaitjax.datasets.synthetic.camera import Camera, at_view
from gaitjax.datasets.synthetic.clothing import dress
from gaitjax.datasets.synthetic.draws import Traits, generator, vary
from gaitjax.datasets.synthetic.flesh import Solid, pose, undressed
from gaitjax.datasets.synthetic.gait import GAIT, Array, Skeleton, draw_gait, rotation, walk
from gaitjax.datasets.synthetic.keypoints import keypoints
from gaitjax.datasets.synthetic.noise import spoil
from gaitjax.datasets.synthetic.render import Mask, masks, outlines

SIZE = 64  # height and width of what is cut out, pixels
RATE = 25  # frames a second, as CASIA-B
VARIATION = 0.08  # of a trait from walk to walk, as a share of its range
TRACK = {"yaw": 4.0, "aside": 0.25, "ahead": 0.3}  # largest offsets: degrees, metres, metres


class Walk(NamedTuple):
    """A walk in the world: all that a camera can record.

    Attributes:
        body: what the person is like.
        skeleton: that moves.
        parts: names of the ellipsoids that each part consists of.
        solid: the parts where the skeleton has carried them.
    """

    body: Traits
    skeleton: Skeleton
    parts: tuple[tuple[str, ...], ...]
    solid: Solid


class Shot(NamedTuple):
    """What a camera sees of a walk, in the frames that show enough of the person.

    Attributes:
        walk: in the world.
        camera: that sees it.
        name: seed, identity, type, view: what everything random follows from.
        seen: [T] of the walk's frames, which ones are here.
        corners: of the outlines, [S, P, n, 2] in pixels.
        places: the pixel (x, y) of each window's corner.
        found: masks of the windows, as segmentation finds them.
        cuts: where the person is in them.
        points: float32 [S, 17, 3], COCO's key points: x, y in pixels, confidence.
    """

    walk: Walk
    camera: Camera
    name: tuple[int, str, str, str]
    seen: NDArray[np.bool_]
    corners: Array
    places: list[tuple[int, int]]
    found: list[Mask]
    cuts: list[Cut]
    points: NDArray[np.float32]


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
    return Walk(body, skeleton, flesh.parts, pose(flesh, skeleton))


def _on_track(skeleton: Skeleton, rng: np.random.Generator) -> Skeleton:
    """Nobody walks quite along the middle of the track: turns and moves the walk a little."""
    offset = {name: most * rng.uniform(-1, 1) for name, most in TRACK.items()}
    turn = rotation([offset["yaw"]], 0, 0)[0]
    place = np.array([offset["ahead"], offset["aside"], 0])
    return Skeleton(
        {name: point @ turn.T + place for name, point in skeleton.points.items()},
        {name: turn @ frame for name, frame in skeleton.frames.items()},
    )


def shoot(seed: int, identity: str, sequence: str, view: str, frames: tuple[int, int]) -> Shot:
    """What a camera sees of one walk: a pure function of its arguments.

    Args:
        seed: of the whole dataset.
        identity: such as '001'.
        sequence: the type: 'nm', 'bg' or 'cl', a hyphen and the number of the walk.
        view: degrees between the direction of the walk and that to the camera, such as '090'.
        frames: smallest and largest number of frames, both included.
    """
    scene, camera = walk_of(seed, identity, sequence, frames), at_view(view)
    rng = generator(seed, identity, sequence, view)
    corners = outlines(scene.solid, camera)
    windows = masks(corners)
    found = spoil(windows, rng)
    points = keypoints(scene.skeleton, scene.body, camera, rng)
    cuts = [locate(mask, SIZE) for mask in found]
    seen = np.array([cut is not None for cut in cuts])
    return Shot(
        scene,
        camera,
        (seed, identity, sequence, view),
        seen,
        corners[seen],
        [place for (_, place), cut in zip(windows, cuts, strict=True) if cut],
        [mask for mask, cut in zip(found, cuts, strict=True) if cut],
        [cut for cut in cuts if cut],
        points[seen],
    )
