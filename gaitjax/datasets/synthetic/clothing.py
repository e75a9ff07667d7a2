"""The conditions of CASIA-B: as always (nm), with a bag (bg), in a coat (cl)."""

import numpy as np

from gaitjax.datasets.synthetic.draws import Ranges, Traits, draw
from gaitjax.datasets.synthetic.flesh import SIDES, Blob, Flesh

BAG: Ranges = {
    "depth": (0.11, 0.19),
    "width": (0.17, 0.27),
    "height": (0.20, 0.32),
    "kind": (0.0, 3.0),
    "side": (-1.0, 1.0),
}
COAT: Ranges = {
    "thickness": (0.015, 0.045),
    "length": (0.55, 1.05),  # of the thigh
    "flare": (0.02, 0.07),
    "hood": (0.0, 0.06),
}


def dress(flesh: Flesh, condition: str, body: Traits, rng: np.random.Generator) -> Flesh:
    """The flesh as it is in a condition.

    Args:
        flesh: of the body in its usual clothes.
        condition: 'nm', 'bg' or 'cl'.
        body: from `draw_body`.
        rng: draws the person's own bag or coat.
    """
    if condition == "bg":
        return _with_bag(flesh, body, draw(rng, BAG))
    if condition == "cl":
        return _in_coat(flesh, body, draw(rng, COAT))
    return flesh


def _with_bag(flesh: Flesh, body: Traits, bag: Traits) -> Flesh:
    """A backpack, a bag at the hip with its strap, or a bag in the hand."""
    depth, width, height = bag["depth"], bag["width"], bag["height"]
    sign = 1 if bag["side"] > 0 else -1
    side = SIDES[0] if sign > 0 else SIDES[1]
    if bag["kind"] < 1:
        back = -body["chest_depth"] - 0.6 * depth
        middle = (back, 0.0, -0.45 * body["trunk"])
        blobs = {"bag": Blob("neck", "chest", (depth, width, height), middle)}
        parts: tuple[tuple[str, ...], ...] = (("bag",),)
    elif bag["kind"] < 2:
        beside = sign * (body["pelvis_width"] + 0.5 * depth)
        blobs = {"bag": Blob("pelvis", "pelvis", (width, depth, height), (-0.03, beside, -0.05))}
        parts = (("bag",),)
    else:
        hanging = (0.0, 0.0, -0.06 - 0.8 * height)
        blobs = {
            "bag": Blob(f"{side}_wrist", "pelvis", (width, 0.6 * depth, 0.8 * height), hanging)
        }
        parts = (("bag",), ("bag", f"{side}_hand"))
    return Flesh(flesh.blobs | blobs, flesh.parts + parts)


def _in_coat(flesh: Flesh, body: Traits, coat: Traits) -> Flesh:
    """Thicker from the neck to the hips and along the arms, and a skirt around the thighs."""
    covered = ("neck", "chest", "waist", "pelvis", "shoulder", "elbow", "wrist", "hip")
    thick = coat["thickness"]
    blobs = dict(flesh.blobs)
    for name, blob in flesh.blobs.items():
        if name.endswith(covered):
            front, left, up = blob.radii
            blobs[name] = blob._replace(radii=(front + thick, left + thick, up + thick / 2))
    wide = body["thigh_girth"] + thick + coat["flare"] / 2
    for side in SIDES:
        hem = (0.0, 0.0, -coat["length"] * body["thigh"])
        blobs[f"{side}_hem"] = Blob(f"{side}_hip", f"{side}_thigh", (wide, wide, 0.03), hem)
    collar = (-coat["hood"] / 2, 0.0, 0.02)
    size = body["neck_girth"] + coat["hood"]
    blobs["hood"] = Blob("neck", "chest", (size, size, size), collar)
    parts = (("pelvis", "left_hem", "right_hem"), ("waist", "left_hem", "right_hem"), ("hood",))
    return Flesh(blobs, flesh.parts + parts)
