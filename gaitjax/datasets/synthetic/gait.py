"""How a person walks: joint angles over the stride as Fourier series, and the joints they move.

The legs follow normal gait: thigh against the vertical, knee and ankle in the sagittal plane, every
5 % of the stride, drawn after the landmarks (peaks and their times) of J. Perry, "Gait Analysis:
Normal and Pathological Function" (1992), chapters 3 to 6, and D. A. Winter, "Biomechanics and Motor
Control of Human Movement"; the values between are not theirs. Angles are in degrees,
flexion and dorsiflexion positive, and the stride begins where the heel strikes the ground.

The world: x is where the person walks to, y their left, z up, metres; the ground is z = 0.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gaitjax.datasets.synthetic.draws import Ranges, Traits, draw

Array = NDArray[np.float64]
Waves = NDArray[np.complex128]

# fmt: off
THIGH = (20, 20, 18, 14, 9, 4, -2, -8, -13, -18, -20, -17, -10, 0, 10, 18, 23, 25, 24, 22)
KNEE = (5, 11, 17, 19, 17, 13, 9, 6, 5, 7, 12, 23, 38, 53, 61, 58, 45, 28, 12, 4)
ANKLE = (0, -5, -4, 0, 3, 5, 7, 8, 10, 10, 6, -4, -15, -17, -10, -4, -1, 1, 1, 0)
# fmt: on
HARMONICS = 5
SLOPE = 0.1  # of the trunk's length that the shoulders lie below the root of the neck
REACH = 1.2  # metres to both sides of the middle; the cameras go along on longer walks
BEND = 0.15  # how far a person's harmonics are from the published ones, as a share of these

GAIT: Ranges = {
    "cadence": (0.78, 1.08),  # strides a second
    "thigh": (0.75, 1.20),  # amplitudes of the published curves
    "knee": (0.80, 1.15),
    "ankle": (0.70, 1.30),
    "crouch": (-2.0, 10.0),  # degrees that the knee is bent more than normal
    "step_width": (-1.0, 4.5),  # degrees of abduction of the legs
    "toe_out": (-2.0, 20.0),
    "lean": (-2.0, 11.0),  # of the trunk, forward
    "sway": (0.5, 4.0),  # of the trunk, to the sides
    "turn": (2.0, 9.0),  # of the pelvis; the shoulders turn against it
    "list": (1.0, 6.0),  # the pelvis drops on the side of the swinging leg
    "head": (-6.0, 22.0),  # forward bend of the head
    "arm": (-16.0, 2.0),  # mean flexion of the shoulder
    "arm_swing": (4.0, 28.0),
    "arm_spread": (3.0, 17.0),
    "elbow": (8.0, 42.0),
    "elbow_swing": (3.0, 16.0),
    "leg_asymmetry": (-0.08, 0.08),  # share by which the left moves more, and the right less
    "arm_asymmetry": (-0.4, 0.4),
    "limp": (-0.03, 0.03),  # share of the stride by which the right step comes late
}


class Skeleton(NamedTuple):
    """The moving joints of T frames.

    Attributes:
        points: joint -> [T, 3], metres in the world.
        frames: bone -> [T, 3, 3]; the columns point forward, to the left and up along the bone.
    """

    points: dict[str, Array]
    frames: dict[str, Array]


def draw_gait(rng: np.random.Generator) -> tuple[Traits, Waves]:
    """Draws a way to walk: the traits of `GAIT`, and the personal shape of the leg's curves.

    Returns:
        The traits, and complex factors [3, HARMONICS] that bend the curves of thigh, knee, ankle.
    """
    real, imaginary = rng.uniform(-1, 1, (2, 3, HARMONICS))
    return draw(rng, GAIT), 1 + BEND * (real + 1j * imaginary)


def series(table: ArrayLike, factors: Waves, phase: Array) -> tuple[float, Array]:
    """Mean of a periodic curve, and its deviation from the mean as a Fourier series.

    Args:
        table: the curve at equal distances over one period.
        factors: complex [HARMONICS], what the coefficient of each harmonic is multiplied with.
        phase: [T] in periods.
    """
    coefficients = np.fft.rfft(table, norm="forward")
    waves = np.exp(2j * np.pi * np.outer(phase, np.arange(1, HARMONICS + 1)))
    return float(coefficients[0].real), 2 * (
        waves @ (coefficients[1 : HARMONICS + 1] * factors)
    ).real


def rotation(yaw: ArrayLike, pitch: ArrayLike, roll: ArrayLike) -> Array:
    """Rotation matrices [T, 3, 3]: roll about x, then pitch about y, then yaw about z, degrees."""
    a, b, c = np.radians(np.broadcast_arrays(yaw, pitch, roll))
    (ca, cb, cc), (sa, sb, sc) = np.cos([a, b, c]), np.sin([a, b, c])
    rows = [
        [ca * cb, ca * sb * sc - sa * cc, ca * sb * cc + sa * sc],
        [sa * cb, sa * sb * sc + ca * cc, sa * sb * cc - ca * sc],
        [-sb, cb * sc, cb * cc],
    ]
    return np.moveaxis(np.array(rows), -1, 0)


def walk(body: Traits, gait: Traits, factors: Waves, phase: Array) -> Skeleton:
    """The skeleton of a person who walks along x, half way at x = 0.

    Args:
        body: from `draw_body`.
        gait: from `draw_gait`, as are the factors.
        factors: complex [3, HARMONICS].
        phase: [T] in strides; the left heel strikes at 0.
    """
    wave, quarter = np.cos(2 * np.pi * phase), np.sin(2 * np.pi * phase)
    turn, sway = -gait["turn"] * wave, -gait["sway"] * quarter
    frames = {
        "pelvis": rotation(turn, gait["lean"] / 2, gait["list"] * quarter),
        "chest": rotation(-turn, gait["lean"], sway),
        "head": rotation(0, gait["lean"] / 2 + gait["head"], sway / 2),
    }
    points = {"pelvis": np.zeros((len(phase), 3))}
    points["neck"] = frames["chest"] @ (0, 0, body["trunk"])
    points["head"] = points["neck"] + frames["head"] @ (0, 0, body["neck"])
    for side, sign in (("left", 1), ("right", -1)):
        hip = frames["pelvis"] @ (0, sign * body["hips"] / 2, 0)
        across = (0, sign * body["shoulders"] / 2, -SLOPE * body["trunk"])
        shoulder = points["neck"] + frames["chest"] @ across
        own = phase if sign > 0 else phase + 0.5 + gait["limp"]
        for limb in (
            _leg(body, gait, leg_angles(gait, factors, own, sign), hip, turn, sign),
            _arm(body, gait, -sign * wave, shoulder, -turn, sign),
        ):
            points |= {f"{side}_{name}": point for name, point in limb.points.items()}
            frames |= {f"{side}_{name}": frame for name, frame in limb.frames.items()}
    return Skeleton(_on_the_ground(points, body, gait, phase), frames)


def leg_angles(gait: Traits, factors: Waves, phase: Array, sign: int) -> tuple[Array, Array, Array]:
    """Degrees [T] by which thigh, shank and foot are turned up forward.

    Args:
        gait: from `draw_gait`, as are the factors.
        factors: complex [3, HARMONICS].
        phase: [T] in strides; this leg's heel strikes at 0.
        sign: 1 for the left leg, -1 for the right one.
    """
    curves = {"thigh": THIGH, "knee": KNEE, "ankle": ANKLE}
    angles = []
    for (name, table), factor in zip(curves.items(), factors, strict=True):
        mean, deviation = series(table, factor, phase)
        angles.append(mean + (1 + sign * gait["leg_asymmetry"]) * gait[name] * deviation)
    thigh, knee, ankle = angles[0] + gait["crouch"] / 2, angles[1] + gait["crouch"], angles[2]
    return thigh, thigh - knee, thigh - knee + ankle


def _leg(
    body: Traits, gait: Traits, angles: tuple[Array, ...], hip: Array, turn: Array, sign: int
) -> Skeleton:
    """One leg from its hip; the angles are those of `leg_angles`."""
    yaw, spread = turn / 2 + sign * gait["toe_out"] / 2, sign * gait["step_width"]
    thigh, shank = (rotation(yaw, -angle, spread) for angle in angles[:2])
    foot = rotation(2 * yaw, -angles[2], 0)
    knee = hip + thigh @ (0, 0, -body["thigh"])
    ankle = knee + shank @ (0, 0, -body["shank"])
    heel = ankle + foot @ (-0.25 * body["foot"], 0, -body["heel"])
    toe = heel + foot @ (body["foot"], 0, 0)
    return Skeleton(
        {"hip": hip, "knee": knee, "ankle": ankle, "heel": heel, "toe": toe},
        {"thigh": thigh, "shank": shank, "foot": foot},
    )


def _arm(
    body: Traits, gait: Traits, wave: Array, shoulder: Array, turn: Array, sign: int
) -> Skeleton:
    """One arm from its shoulder; the wave is -1 where it is farthest back, and 1 in front."""
    wave = wave * (1 + sign * gait["arm_asymmetry"])
    flexion = gait["arm"] + gait["arm_swing"] * wave
    bent = np.maximum(gait["elbow"] + gait["elbow_swing"] * wave, 0)
    spread = sign * gait["arm_spread"]
    arm = rotation(turn, -flexion, spread)
    forearm = rotation(turn, -flexion - bent, spread / 2)
    elbow = shoulder + arm @ (0, 0, -body["upper_arm"])
    wrist = elbow + forearm @ (0, 0, -body["forearm"])
    hand = wrist + forearm @ (0, 0, -body["hand"])
    return Skeleton(
        {"shoulder": shoulder, "elbow": elbow, "wrist": wrist, "hand": hand},
        {"arm": arm, "forearm": forearm},
    )


def _on_the_ground(
    points: dict[str, Array], body: Traits, gait: Traits, phase: Array
) -> dict[str, Array]:
    """Moves the body forward, and up or down until its lower foot stands: so the pelvis bobs."""
    feet = [points[f"{side}_{end}"][:, 2] for side in ("left", "right") for end in ("heel", "toe")]
    reach = np.radians(gait["thigh"] * (max(THIGH) - min(THIGH)) / 2)
    stride = 4 * (body["thigh"] + body["shank"]) * np.sin(reach)
    forward = stride * (phase - phase.mean())
    forward *= min(1, REACH / max(abs(forward[0]), 1e-9))
    shift = np.stack([forward, np.zeros_like(phase), -np.min(feet, axis=0)], axis=-1)
    return {name: point + shift for name, point in points.items()}
