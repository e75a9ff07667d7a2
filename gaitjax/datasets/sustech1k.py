"""SUSTech1K: 1,050 people, 12 views, recorded by a LiDAR and a camera.

Shen et al., "LidarGait: benchmarking 3D gait recognition with point clouds", CVPR 2023. A type is
the number of the walk and what is changed in it, such as `01-cl` or `02-nt-cl`; probes of a
condition are all whose type names it. Of the sixteen pickles of a sequence 08 to 15 are the first
eight at the times that both sensors have in common; 02 (silhouettes of the points) and 04 (sizes of
the camera's boxes) are no modality here. Skeleton maps, body parts and optical flow are of one's
own making: `datasets/ln_sil_heatmap.py` of OpenGait names the first.
"""

from gaitjax.datasets import Dataset, Protocol

DATASET = Dataset(
    title="SUSTech1K",
    files={
        "points": "00-*.pkl",
        "depth": "01-*.pkl",
        "pose": "03-*.pkl",
        "rgb": "05-*.pkl",
        "silhouette": "06-*.pkl|*sil.pkl",
        "mask": "07-*.pkl",
        "heatmap": "*heatmap.pkl",
        "parsing": "*parsing.pkl",
        "flow": "*flow.pkl",
    },
    protocol=Protocol(
        gallery=("*00-nm*",),
        probes={
            "Normal": ("*01-nm*",),
            "Bag": ("*bg*",),
            "Clothing": ("*cl*",),
            "Carrying": ("*cr*",),
            "Umbrella": ("*ub*",),
            "Uniform": ("*uf*",),
            "Occlusion": ("*oc*",),
            "Night": ("*nt*",),
            "Overall": ("0[1-4]-*",),
        },
        gallery_views="single",
        exclude="view",
    ),
    partition="OpenGait's datasets/SUSTech1K/SUSTech1K.json",
    expected={"train": 250, "test": 800},
)
