"""MultiGait++ (Jin et al., AAAI 2025) on the datasets of SETTINGS, or on data of one's own."""

from ml_collections import ConfigDict

from configs import common, deepgaitv2, skeletongaitpp


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "multigaitpp"
    deepgaitv2.residual_network(config)
    _read(config, ("silhouette",), ("parsing",))
    common.choose(SETTINGS, dataset)(config)
    return config


def _read(config: ConfigDict, part1: tuple[str, ...], part2: tuple[str, ...]) -> None:
    """The modalities of both parts; of body parts 20 times the class number is the grey level."""
    config.model.update(part1=part1, part2=part2)
    deepgaitv2.augment(config, *part1, *part2)
    if "parsing" in config.data.transforms:
        perspective, cut, *others = config.data.transforms.parsing
        scaled = {**cut, "divisor": 255 / 20}
        config.data.transforms.parsing = (perspective, scaled, *others)


def gait3d(config: ConfigDict) -> None:
    """A deeper network, on more identities at a time."""
    config.model.blocks = (1, 2, 2, 1)
    config.data.sampler.update(identities=32, sequences=4)


def grew(config: ConfigDict) -> None:
    """Optical flow instead of body parts, three times as many steps."""
    deepgaitv2.grew(config)
    config.model.blocks = (1, 2, 2, 1)
    _read(config, ("silhouette",), ("flow",))


def ccpg(config: ConfigDict) -> None:
    """Body parts and optical flow, in frames that are further apart."""
    _read(config, ("silhouette", "parsing"), ("flow",))
    # OpenGait states 600,000 steps, of which 550,000 would come after the last milestone: a typo.
    config.data.frames.skip = 8


def sustech1k(config: ConfigDict) -> None:
    """Body parts and optical flow, in smaller batches of short sequences."""
    deepgaitv2.sustech1k(config)
    _read(config, ("silhouette", "parsing"), ("flow",))


SETTINGS = {
    "synthetic": skeletongaitpp.synthetic,
    "gait3d": gait3d,
    "grew": grew,
    "ccpg": ccpg,
    "sustech1k": sustech1k,
    "folder": deepgaitv2.casia_b,
}
