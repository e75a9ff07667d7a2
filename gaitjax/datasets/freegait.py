"""FreeGait: 1,195 people in the open, recorded by one LiDAR and a camera.

Han et al., "Gait recognition in large-scale free environment via single LiDAR", ACM MM 2024. Its
probes are a list of sequences, not a rule; a type is the device, a view the number of the walk.
Distributed as a folder with one pickle a modality, of which `lidar` are clouds of points,
`range_pkl` their projection, and `kp3d` key points in space.
"""

from gaitjax.datasets import LISTED, Dataset, Protocol, Raw, readers

SEQUENCE = r"(?P<identity>\d{4})/(?P<type>devid[^/]*)/(?P<view>seq[^/]*)/"
PICKLES = {
    "silhouette": "image",
    "points": "lidar",
    "depth": "range_pkl",
    "smpl": "smpl",
    "pose": "kp3d",
}

DATASET = Dataset(
    title="FreeGait",
    files={modality: f"{name}.pkl" for modality, name in PICKLES.items()},
    protocols={
        "listed": Protocol(
            gallery=("*", "!{PROBE_SET}"),
            probes={"FreeGait": ("{PROBE_SET}",)},
            gallery_views="all",
            exclude="none",
            match=LISTED,
        )
    },
    partition="OpenGait's datasets/FreeGait/FreeGait.json",
    expected={"train": 500, "test": 695},
    raw=tuple(
        Raw(
            modality,
            rf"{SEQUENCE}{name}/{name}\.pkl$",
            readers.points if modality == "points" else readers.pickle,
            f"{name}.pkl",
        )
        for modality, name in PICKLES.items()
    ),
)
