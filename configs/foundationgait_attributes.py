"""Attributes of a person from what FoundationGait has learnt (Ye et al., arXiv:2512.00691).

OpenGait has the network, for RAGAR, and no settings: these are those of `foundationgait_probe`. A
dataset states each attribute as one of its `labels`; their names and numbers of values are to be
the network's `attributes`. The built-in walkers' is 'diagnosis'.
"""

from ml_collections import ConfigDict

from configs import common, foundationgait_probe


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "foundationgait_attributes"
    foundationgait_probe.probing(config)
    tell(config, {"diagnosis": 3})
    common.choose(SETTINGS, dataset)(config)
    return config


def tell(config: ConfigDict, attributes: dict[str, int]) -> None:
    """A head and a loss for every value of some attributes: label -> how many values it has."""
    config.model.attributes = ConfigDict(attributes)
    values = [(label, i) for label, count in attributes.items() for i in range(count)]
    for head, (label, value) in enumerate(values):
        options = {"type": "cross_entropy", "labels": label, "against_rest": value}
        config.losses[f"softmax_{head:02}"] = ConfigDict({**options, "log_accuracy": True})


SETTINGS = {"synthetic": foundationgait_probe.synthetic}
