"""What Gait3D, CCPG, CCGR, FreeGait, SUSTech1K and Scoliosis1K become of what is distributed."""

import fnmatch
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from gaitjax import datasets
from gaitjax.datasets import ccgr, ccpg_rgb, sustech1k
from gaitjax.datasets.depth_image import depth_image, panorama
from gaitjax.errors import UserError
from tests.datasets.raw import ccgr as raw_ccgr
from tests.datasets.raw import ccpg as raw_ccpg
from tests.datasets.raw import drawing, freegait, gait3d, gait3d_parsing, scoliosis1k
from tests.datasets.raw import sustech1k as raw_sustech1k

NAMES = (
    *("gait3d", "gait3d_parsing", "ccpg", "ccpg_rgb", "ccgr", "ccgr_mini", "freegait"),
    *("sustech1k", "scoliosis1k"),
)


def found(name, path):
    """Modality -> (the pickle that a path becomes a part of, its frame, its reader)."""
    became = {}
    for raw in datasets.get(name).raw:
        hit = re.search(raw.pattern, path)
        if hit and raw.modality not in became:
            groups = hit.groupdict()
            templates = (raw.identity, raw.type, raw.view, raw.pickle)
            names = [template.format(**groups) for template in templates]
            became[raw.modality] = ("/".join(names), groups.get("frame"), raw.read)
    return became


def read(name, folder, size=64):
    """Pickle -> its frames, of all files of a folder, in the order of their paths."""
    frames = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        below = path.relative_to(folder).as_posix()
        for pickle, _, reader in found(name, below).values():
            frames.setdefault(pickle, []).append(reader(below, path.read_bytes(), size))
    return {pickle: np.concatenate(arrays) for pickle, arrays in frames.items()}


G, C, F = "0000/camid0_videoid2/seq0/", "012/U0_D0_BG/04_1/", "0001/devid_3/seq_02_new/"
V, S, P = "601/DTBXHVCL1/over.avi/", "0001/02-nt-cl/180-far/", "00003/Positive/000_180/"
PATHS = [
    ("gait3d", f"Gait3D/2D_Silhouettes/{G}human_crop_f24551.png", ["sils-seq0"], "24551"),
    ("gait3d", f"2D_Poses/{G}human_crop_f24551.txt", ["poses-seq0"], "24551"),
    ("gait3d", f"3D_SMPLs/{G}human_crop_f24551.npz", ["smpls-seq0"], "24551"),
    ("gait3d", f"2D_Parsings/{G}human_crop_f24551.png", [], None),
    ("gait3d_parsing", f"2D_Parsings/{G}human_crop_f24551.png", ["pars-seq0"], "24551"),
    ("gait3d_parsing", f"2D_Silhouettes/{G}human_crop_f1.png", ["sils-seq0"], "1"),
    ("ccpg", f"CCPG_G_SIL/{C}00007.png", ["04_1-aligned-sils", "04_1-sils"], "00007"),
    ("ccpg", f"CCPG_D_MASK_FACE_SHOE/{C}00007.jpg", ["04_1-ratios", "04_1-rgbs"], "00007"),
    ("ccpg_rgb", f"CCPG_G_SIL/{C}00007.png", [], None),
    ("ccpg_rgb", f"{C}00007.jpg", ["04_1-aligned-rgbs", "04_1-ratios"], "00007"),
    ("ccgr", f"CCGR/{V}oversil-00001.pkl", ["002-oversil-00001"], None),
    ("ccgr", f"CCGR/{V}overpar-00001.pkl", ["003-overpar-00001"], None),
    ("ccgr", f"CCGR/{V}overpose-00001.pkl", ["004-overpose-00001"], None),
    ("ccgr_mini", f"{V}over-00001-sil.pkl", ["002-over-00001-sil"], None),
    ("ccgr_mini", f"{V}overrgb_f-1.avi", ["000-overratios-1", "001-overrgb_f-1"], None),
    ("freegait", f"FreeGait/{F}image/image.pkl", ["image"], None),
    ("freegait", f"FreeGait/{F}range_pkl/range_pkl.pkl", ["range_pkl"], None),
    ("freegait", f"FreeGait/{F}lidar.pkl", [], None),
    ("sustech1k", f"{S}00-180-far-LiDAR-PCDs.pkl", ["00-180-far-LiDAR-PCDs"], None),
    ("sustech1k", f"{S}04-180-far-Camera-Ratios-HW.pkl", ["ratio"], None),
    ("sustech1k", f"{S}02-180-far-LiDAR-PCDs_sils.pkl", [], None),
    ("sustech1k", f"{S}08-sync-180-far-LiDAR-PCDs.pkl", [], None),
    ("sustech1k", f"RAW/{S}PCDs/1658.05.pcd", ["01-180-far-LiDAR-PCDs_depths"], None),
    ("sustech1k", f"RAW/{S}Sils_raw/165.png", ["07-180-far-Camera-Sils_raw"], None),
    ("scoliosis1k", f"Scoliosis1K-sil-pkl/{P}000_180.pkl", ["000_180"], None),
    ("scoliosis1k", f"Scoliosis1K-pose-pkl/{P}000_180.pkl", ["000_180-pose"], None),
    ("scoliosis1k", f"Scoliosis1K-sil-raw/{P}0001.png", ["000_180"], None),
    ("scoliosis1k", f"Scoliosis1K-pose-raw/{P}0001.json", ["000_180-pose"], None),
]


@pytest.mark.parametrize(("name", "path", "pickles", "frame"), PATHS)
def test_a_path_tells_which_pickle_a_file_is_of(name, path, pickles, frame):
    became = found(name, path)
    made = sorted(pickle for pickle, _, _ in became.values())
    start = next(start for start in (G, C, F, V, S, P) if start in path)
    assert made == sorted(f"{start}{pickle}.pkl" for pickle in pickles)
    assert {number for _, number, _ in became.values()} <= {frame}


@pytest.mark.parametrize(("name", "path"), [entry[:2] for entry in PATHS])
def test_training_finds_every_pickle_by_its_modality(name, path):
    for modality, (pickle, _, _) in found(name, path).items():
        view, file = pickle.split("/")[2:]
        patterns = datasets.get(name).files[modality].format(view=view).split("|")
        assert any(fnmatch.fnmatchcase(file, pattern) for pattern in patterns), modality


@pytest.mark.parametrize("name", NAMES)
def test_what_is_broken_is_refused_by_name(name):
    for raw in datasets.get(name).raw:
        for content in (b"nothing of the kind\n", b"\x89PNG\r\n\x1a\nno more", b"{}", b"PK\3\4"):
            with pytest.raises(UserError, match=r"^a/b\.xyz(:| is| was)"):
                raw.read("a/b.xyz", content, 64)


def test_gait3d_has_silhouettes_poses_and_body_models(tmp_path):
    gait3d.make_gait3d(tmp_path)
    made = read("gait3d", tmp_path)
    assert {len(frames) for frames in made.values()} == {drawing.FRAMES}
    silhouettes, poses, models = (
        made[f"{G}{kind}-seq0.pkl"] for kind in ("sils", "poses", "smpls")
    )
    assert silhouettes.shape[1:] == (64, 64)
    # names are sorted as text, as everywhere: 1000 to 1003 before 998 and 999
    np.testing.assert_allclose(poses, np.roll(drawing.poses(0), -2, axis=0), rtol=1e-6)
    assert models[:, 0].tolist() == [1000, 1001, 1002, 1003, 998, 999]
    np.testing.assert_array_equal(models[0, 1:], [1000] * 2 + [0] * 72 + [1] * 10)


def test_gait3d_parsing_keeps_the_numbers_of_parts(tmp_path):
    gait3d_parsing.make_gait3d_parsing(tmp_path)
    frames = read("gait3d_parsing", tmp_path)[f"{G}pars-seq0.pkl"]
    assert set(np.unique(frames)) == set(range(12))
    assert ((frames[:, 1:] >= frames[:, :-1]) | (frames[:, 1:] == 0)).all()  # head to feet


def test_ccpg_has_crops_masks_and_what_is_cut_of_them(tmp_path):
    raw_ccpg.make_ccpg(tmp_path)
    made = read("ccpg", tmp_path)
    start = "000/U0_D0/00_0/00_0-"
    shapes = {kind: made[f"{start}{kind}.pkl"].shape[1:] for kind in ("rgbs", "sils", "ratios")}
    assert shapes == {"rgbs": (128, 128, 3), "sils": (128, 128), "ratios": ()}
    assert (made[f"{start}ratios.pkl"] == 60 / 80).all()
    assert made[f"{start}aligned-sils.pkl"].shape[1:] == (64, 64)
    inside = made[f"{start}rgbs.pkl"][made[f"{start}sils.pkl"] == 255]
    np.testing.assert_allclose(inside.mean(axis=0), (90, 160, 220), atol=4)


def test_crops_of_ccpg_are_padded_or_cut_to_half_of_their_height(tmp_path):
    raw_ccpg.make_ccpg_rgb(tmp_path)
    made = read("ccpg_rgb", tmp_path)
    assert made["000/U0_D0/00_0/00_0-aligned-rgbs.pkl"].shape[1:] == (256, 128, 3)
    for width in (30, 31, 64, 99):
        image = np.arange(64 * width * 3, dtype=np.uint8).reshape(64, width, 3)
        same = ccpg_rgb.padded(image, 64, 32)
        shown = min(width, 32)
        left, start = (32 - shown) // 2, max(width - 32 + 1, 0) // 2
        np.testing.assert_array_equal(same[:, left : left + shown], image[:, start : start + shown])
        assert same[:, :left].sum() + same[:, left + shown :].sum() == 0


def test_videos_of_ccgr_lose_their_margins(tmp_path):
    raw_ccgr.make_ccgr_mini(tmp_path)
    made = read("ccgr_mini", tmp_path)
    start = "1/NM1/180_a.avi/"
    rgb, ratio = made[f"{start}001-180_argb_f-00000.pkl"], made[f"{start}000-180_aratios-00000.pkl"]
    assert rgb.shape == (drawing.FRAMES, 128, 128, 3)
    assert (rgb[:, :4].max(axis=(1, 2, 3)) > 100).all()  # no dark margin is left at the top
    np.testing.assert_allclose(ratio, 0.3 / 0.9, atol=0.03)
    np.testing.assert_allclose(rgb[:, 64, 64], [[90, 160, 220]] * len(rgb), atol=8)
    assert made[f"{start}004-180_apose-00000.pkl"].shape == (drawing.FRAMES, 17, 3)
    dark = np.zeros((5, 4, 3), np.uint8)
    assert ccgr.unpadded(dark) is dark
    video = raw_ccgr.video(drawing.colours(drawing.masks(0)))
    with pytest.raises(UserError, match=r"x\.avi: video is cut off"):
        ccgr.rgb("x.avi", video[:-1], 64)


def test_clouds_of_points_are_filled_up(tmp_path):
    freegait.make_freegait(tmp_path)
    points = read("freegait", tmp_path)["1231/devid_3/seq_00_new/lidar.pkl"]
    assert points.dtype == np.float32
    for filled, cloud in zip(points, drawing.clouds(0), strict=True):
        np.testing.assert_array_equal(filled[: len(cloud)], cloud.astype(np.float32))
        assert np.isnan(filled[len(cloud) :]).all()


def test_sustech1k_keeps_its_pickles_and_turns_sizes_into_ratios(tmp_path):
    folder = tmp_path / "0000/00-nm/090"
    for name, content in raw_sustech1k.pickles(0, "090").items():
        drawing.write(folder / name, content)
    made = read("sustech1k", tmp_path)
    assert len(made) == 7
    np.testing.assert_array_equal(made["0000/00-nm/090/ratio.pkl"], [0.4] * drawing.FRAMES)
    silhouettes = made["0000/00-nm/090/06-090-Camera-Sils_aligned.pkl"]
    np.testing.assert_array_equal(silhouettes, drawing.masks(0, (64, 64)))


def test_sustech1k_is_prepared_from_its_images_and_points_too(tmp_path):
    raw_sustech1k.make_sustech1k_raw(tmp_path)
    made = read("sustech1k", tmp_path)
    shapes = {Path(name).name: made[name].shape[1:] for name in made if "0000/00-nm/090" in name}
    assert shapes == {
        "01-090-LiDAR-PCDs_depths.pkl": (64, 64, 3),
        "05-090-Camera-RGB_raw.pkl": (64, 64, 3),
        "06-090-Camera-Sils_aligned.pkl": (64, 64),
        "07-090-Camera-Sils_raw.pkl": (64, 64),
        "ratio.pkl": (),
    }


def test_files_of_points_are_text_or_binary():
    cloud = drawing.clouds(3)[0]
    cloud[5, 1] = np.nan
    kept = np.delete(cloud, 5, axis=0).astype(np.float32)
    for data in ("ascii", "binary"):
        points = sustech1k.point_cloud("x.pcd", raw_sustech1k.pcd(cloud, data))
        np.testing.assert_array_equal(points.astype(np.float32), kept)
    pcd = raw_sustech1k.pcd(cloud)
    cut_off, compressed = pcd[:-1], pcd.replace(b"DATA binary", b"DATA binary_compressed")
    for content in (cut_off, compressed, pcd.replace(b"FIELDS intensity x", b"FIELDS intensity u")):
        with pytest.raises(UserError, match=r"x\.pcd: no PCD file"):
            sustech1k.point_cloud("x.pcd", content)
    with pytest.raises(UserError, match=r"x\.pcd: empty frame"):
        sustech1k.point_cloud("x.pcd", raw_sustech1k.pcd(cloud[:0]))


def test_a_depth_image_shows_the_person_wherever_they_are():
    cloud = drawing.clouds(1)[0]
    image = depth_image(cloud)
    assert image.shape == (64, 64, 3)
    turn = np.deg2rad(100 * 0.19188 / 0.77)  # by a hundred pixels
    rotation = np.array(
        [[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    )
    moved = depth_image(cloud @ rotation)
    assert np.abs(moved.astype(int) - image).mean() < 3


def test_near_points_are_red_and_far_ones_blue():
    near_below, far_above = (5.0, 0.0, -0.5), (9.0, 0.0, 0.5)
    drawn = panorama(np.array([near_below, far_above]))
    red, _, blue = (drawn[..., channel] for channel in range(3))
    assert np.argwhere(red)[:, 0].min() > np.argwhere(blue)[:, 0].max()


def test_scoliosis1k_tells_poses_from_silhouettes_by_the_folders(tmp_path):
    scoliosis1k.make_scoliosis1k(tmp_path / "pkl")
    scoliosis1k.make_scoliosis1k_raw(tmp_path / "raw")
    for folder in ("pkl", "raw"):
        made = read("scoliosis1k", tmp_path / folder)
        start = "00003/Positive/000_180/000_180"
        assert made[f"{start}.pkl"].shape == (drawing.FRAMES, 64, 64)
        np.testing.assert_allclose(made[f"{start}-pose.pkl"], drawing.poses(3), rtol=1e-6)


def test_the_cut_of_ccpg_takes_masks_of_any_size():
    small = np.zeros((40, 30), np.uint8)
    small[10:20, 12:15] = 255  # below the threshold of the common cut
    content = cv2.imencode(".png", small)[1].tobytes()
    with pytest.raises(UserError, match=r"x\.png: empty frame"):
        datasets.get("gait3d").raw[0].read("x.png", content, 64)
    assert datasets.get("ccpg").raw[0].read("x.png", content, 64).max() == 255
