"""LidarGait++: local features of clouds of points, and how high above the ground they are.

Shen et al., "LidarGait++: learning local features and size awareness from LiDAR point clouds for 3D
gait recognition", CVPR 2025.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.errors import UserError
from gaitjax.models import Output
from gaitjax.models.layers import head
from gaitjax.models.layers.frames import pick
from gaitjax.models.layers.padding import valid_frames
from gaitjax.models.layers.points import (
    SharedMLP,
    farthest_points,
    gather_points,
    nearest_points,
    points_within,
)
from gaitjax.models.layers.pooling import horizontal_pyramid, largest, set_max

EXAMPLE = {"points": (1024, 4)}  # the shape of one frame, by modality
RADII = (0.1, 0.2, 0.4)  # of the neighbourhoods at the three levels; the cloud's own is 1
TALLEST = 2.0  # metres that the slices of 'hap' reach up to
POOLS = {"PPP_HAP": "hap", "PPP_UAP": "uap", "PPP_UDP": "udp", "GMaxP": "udp"}


class Model(nn.Module):
    """LidarGait++.

    Attributes:
        classes: label -> number of classes; 'identity' is needed.
        channels: the narrowest layer has twice as many.
        sampled: points that are left at the three levels.
        neighbours: points of each neighbourhood.
        grouping: 'nearest': the nearest points; 'ball': the first ones within the level's radius.
        by_radius: whether neighbours' places are divided by the radius.
        heights: whether the network reads heights above the ground, beside places.
        pool: over slices of the body: 'hap': equally high, of TALLEST metres; 'uap': equally high,
            of the range of the cloud; 'udp': of equally many points.
        uap_range: 'frame': of each cloud; 'first_frame': of the batch's very first one, as in
            OpenGait, whose embeddings depend on what else is in a batch.
        bins: numbers of slices, which are pooled at several scales.
        pooled: channels of what is pooled.
        embedding: channels of every part of the embedding.
        dtype: of the activations; places and heights are never below float32.
    """

    classes: Mapping[str, int]
    channels: int = 16
    sampled: tuple[int, int, int] = (512, 256, 128)
    neighbours: int = 32
    grouping: str = "nearest"
    by_radius: bool = True
    heights: bool = True
    pool: str = "hap"
    uap_range: str = "frame"
    bins: tuple[int, ...] = (1, 2, 4, 8, 16)
    pooled: int = 256
    embedding: int = 256
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self,
        inputs: Mapping[str, jax.Array],
        lengths: jax.Array,
        *,
        train: bool,
        draws: jax.Array | None = None,
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: 'points' [N, T, P, 4]: places in the unit ball, and metres above the ground, as
                the transform `normalise_points` makes them with `heights`.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics.
            draws: as `draw` makes them, or int [3, N, T]; None: made from the key of 'dropout',
                without which they are the same on every call.

        Returns:
            embeddings [N, sum(bins), embedding] before the BNNecks.

        Raises:
            UserError: for points without heights, or fewer than the neighbours; for a pool or a
                grouping that is none.
        """
        wide = jnp.promote_types(self.dtype, jnp.float32)
        points = pick(inputs, "points", wide)
        self._check(points.shape)
        valid = valid_frames(lengths, points.shape[1])
        if draws is None:
            key = self.make_rng("dropout") if self.has_rng("dropout") else jax.random.key(0)
            draws = self.draw(key, *points.shape[1:3])
        features = jnp.zeros((*points.shape[:3], 0), self.dtype)
        for i, radius in enumerate(RADII):
            start = jnp.broadcast_to(draws[i], points.shape[:2])
            points, x = self._neighbourhoods(points, features, self.sampled[i], radius, start)
            narrow = self.channels * 2 ** (i + 1)
            mlp = SharedMLP((narrow, narrow, 2 * narrow), self.dtype, name=f"level{i + 1}")
            features = largest(mlp(x, train, valid), 3)
        x = jnp.concatenate([self._read(points), features], -1)
        narrow = 16 * self.channels
        x = SharedMLP((narrow, narrow, self.pooled), self.dtype, name="level4")(x, train, valid)
        embeddings, logits = head.embed_and_classify(
            set_max(self._pool(x, points), lengths),
            self.embedding,
            self.classes["identity"],
            self.dtype,
            train,
        )
        terms = {"triplet": {"embeddings": embeddings}, "softmax": {"logits": logits}}
        return Output(embeddings, terms=terms)

    def draw(self, key: jax.Array, frames: int, points: int) -> jax.Array:
        """The first points of farthest point sampling: int32 [3, 1, frames], of every level.

        Those of a frame do not depend on how many follow. They are the same in all sequences, so
        that no sequence sees another; which point is meant differs, as clouds have no order.
        """
        choices = jnp.array([points, *self.sampled[:2]])

        def of_frame(t: jax.Array) -> jax.Array:
            return jax.random.randint(jax.random.fold_in(key, t), (3,), 0, choices)

        return jax.vmap(of_frame, out_axes=1)(jnp.arange(frames))[:, None]

    def _check(self, shape: Sequence[int]) -> None:
        if shape[3] != 4:
            raise UserError(
                f"points of {shape[3]} numbers; LidarGait++ reads x, y, z and height: give "
                "normalise_points heights=True in config.data.transforms.points"
            )
        if min(shape[2], *self.sampled) < self.neighbours:
            raise UserError(
                f"clouds of {shape[2]} points, of which config.model.sampled leaves "
                f"{self.sampled}; expected no fewer than config.model.neighbours "
                f"({self.neighbours}): sample more of them"
            )
        for name, known in (
            ("grouping", ("nearest", "ball")),
            ("pool", ("hap", "uap", "udp")),
            ("uap_range", ("frame", "first_frame")),
        ):
            if getattr(self, name) not in known:
                raise UserError(
                    f"config.model.{name} is {getattr(self, name)!r}; expected {' or '.join(known)}"
                )

    def _neighbourhoods(
        self, points: jax.Array, features: jax.Array, number: int, radius: float, start: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """Points that are far from each other, and what is around each of them.

        Args:
            points: [N, T, P, 4].
            features: [N, T, P, C], of the points.
            number: how many points are chosen.
            radius: of what is around.
            start: int [N, T], the first of them.

        Returns:
            The points [N, T, number, 4]; of their neighbours [N, T, number, K, 3 or 4, then C] how
            far they are from the point, and their features.
        """
        centres = gather_points(points, farthest_points(points[..., :3], number, start))
        places = points[..., :3], centres[..., :3]
        if self.grouping == "nearest":
            around = nearest_points(*places, self.neighbours)
        else:
            around = points_within(*places, radius, self.neighbours)
        apart = gather_points(points, around) - centres[..., None, :]
        apart = self._read(apart / radius if self.by_radius else apart)
        return centres, jnp.concatenate([apart, gather_points(features, around)], -1)

    def _read(self, points: jax.Array) -> jax.Array:
        """What is read of the numbers of points, in the network's dtype."""
        return points[..., : 4 if self.heights else 3].astype(self.dtype)

    def _pool(self, x: jax.Array, points: jax.Array) -> jax.Array:
        """Mean plus maximum of slices of the body: [N, T, P, C] -> [N, T, sum(bins), C].

        Slices lie one above the other, the scales one after another; one without points is 0.
        """
        if self.pool == "udp":
            upwards = jnp.argsort(points[..., 2], -1)
            column = gather_points(x, upwards).reshape(-1, x.shape[2], 1, x.shape[3])
            return horizontal_pyramid(column, self.bins).reshape(*x.shape[:2], -1, x.shape[3])
        shares = self._shares(points)
        return jnp.concatenate([pool_slices(x, shares, number) for number in self.bins], 2)

    def _shares(self, points: jax.Array) -> jax.Array:
        """How high points [N, T, P, 4] lie in their slices: [N, T, P], from 0 to 1."""
        if self.pool == "hap":
            return points[..., 3] / TALLEST
        z = points[..., 2]
        of = z[:1, :1] if self.uap_range == "first_frame" else z
        low, high = (f(of, -1, keepdims=True) for f in (jnp.min, jnp.max))
        return (z - low) / (high - low + 1e-6)


def pool_slices(x: jax.Array, shares: jax.Array, number: int) -> jax.Array:
    """Mean plus maximum of slices of as many shares of the height.

    Args:
        x: [..., P, C].
        shares: [..., P], how high each point lies. One between two slices belongs to the lower, one
            below 0 or above 1 to the lowest or the highest.
        number: of slices.

    Returns:
        [..., number, C], 0 where there are no points.
    """
    edges = jnp.arange(1, number) / number
    index = jnp.sum(shares[..., None] > edges, -1)
    inside = index[..., None] == jnp.arange(number)  # [..., P, number]
    count = jnp.sum(inside, -2, dtype=x.dtype)[..., None]
    total = jnp.einsum("...ps,...pc->...sc", inside.astype(x.dtype), x, precision="highest")
    top = largest(jnp.where(inside[..., None], x[..., None, :], -jnp.inf), -3)
    return jnp.where(count > 0, top + total / jnp.maximum(count, 1), 0)


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for.

    Raises:
        UserError: for a pooling that is not here; OpenGait's own NetVLAD does not work.
    """
    pool = model_cfg["pool"]
    if pool not in POOLS:
        raise UserError(f"model_cfg.pool is {pool!r}; expected {', '.join(POOLS)}")
    return {
        "channels": model_cfg["channel"],
        "sampled": tuple(model_cfg.get("npoints", (512, 256, 128))),
        "neighbours": model_cfg.get("nsample", 32),
        "grouping": {"knn": "nearest"}.get(model_cfg["sampling"], model_cfg["sampling"]),
        "by_radius": model_cfg["normalize_dp"],
        "heights": model_cfg["scale_aware"],
        "pool": POOLS[pool],
        "bins": (1,) if pool == "GMaxP" else tuple(model_cfg["scale"]),
        "pooled": model_cfg["SeparateFCs"]["in_channels"],
        "embedding": model_cfg["SeparateFCs"]["out_channels"],
    }


OPENGAIT = [
    ("level{i}/linear{j}", "sa{i}.mlp_convs.{j}", "pointwise"),
    ("level{i}/bn{j}", "sa{i}.mlp_bns.{j}", "batch_norm"),
    *head.OPENGAIT,
]
