"""A person at rest: lengths of the bones and girths of the flesh around them.

Lengths are shares of the stature, around those of R. Drillis and R. Contini, "Body segment
parameters" (1966), as in D. A. Winter, "Biomechanics and Motor Control of Human Movement",
figure 4.1. A girth is the radius of an ellipsoid around a joint.
"""

import numpy as np

from gaitjax.datasets.synthetic.draws import Ranges, Traits, draw

BONES: Ranges = {
    "thigh": (0.230, 0.262),
    "shank": (0.228, 0.260),
    "heel": (0.037, 0.043),  # ankle above the sole
    "foot": (0.130, 0.165),
    "hips": (0.090, 0.125),  # between the hip joints
    "trunk": (0.265, 0.310),  # hips to shoulders
    "shoulders": (0.195, 0.260),  # between the shoulder joints
    "neck": (0.085, 0.120),  # shoulders to the middle of the head
    "upper_arm": (0.170, 0.200),
    "forearm": (0.135, 0.158),
    "hand": (0.080, 0.100),
}
GIRTHS: Ranges = {
    "head_width": (0.040, 0.050),
    "head_depth": (0.050, 0.062),
    "head_height": (0.060, 0.072),
    "hair": (0.0, 0.035),
    "neck_girth": (0.028, 0.038),
    "chest_width": (0.080, 0.110),
    "chest_depth": (0.055, 0.085),
    "waist_width": (0.065, 0.105),
    "waist_depth": (0.050, 0.095),
    "pelvis_width": (0.080, 0.112),
    "pelvis_depth": (0.055, 0.085),
    "shoulder_girth": (0.028, 0.042),
    "elbow_girth": (0.020, 0.030),
    "wrist_girth": (0.014, 0.022),
    "thigh_girth": (0.042, 0.062),
    "knee_girth": (0.028, 0.042),
    "calf_girth": (0.028, 0.042),
    "ankle_girth": (0.020, 0.036),  # with the trousers
}
STATURE = (1.50, 1.92)  # metres
BUILD = (0.88, 1.16)  # slender to stout: all girths but the head's


def draw_body(rng: np.random.Generator) -> Traits:
    """Draws a person: every trait of `BONES` and `GIRTHS`, in metres."""
    stature, build = rng.uniform(*STATURE), rng.uniform(*BUILD)
    bones, girths = draw(rng, BONES), draw(rng, GIRTHS)
    girths = {n: v if n.startswith(("head", "hair")) else v * build for n, v in girths.items()}
    return {name: value * stature for name, value in (bones | girths).items()}
