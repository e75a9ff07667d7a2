"""Of several people in a video the one who walks is found."""

import json

import numpy as np
import pytest

from gaitjax.datasets import openpose
from gaitjax.errors import UserError
from tests.datasets.raw import drawing


def written(people):
    return json.dumps(
        {"people": [{"pose_keypoints_2d": person.ravel().tolist()} for person in people]}
    ).encode()


def test_everybody_is_read_and_who_covers_the_silhouette_is_chosen():
    inside = np.array([[30, 40, 0.1], [31.9, 20, 0.1]])
    beside, outside = inside + (25, 0, 0.8), inside - (31, 0, 0)
    silhouette = drawing.png(drawing.masks(0, (80, 60))[0])
    for people in ([outside, beside, inside], [inside, outside, beside]):
        everybody = openpose.read("a.json", written(people), 64)
        np.testing.assert_array_equal(everybody, np.float32(people))
        chosen = openpose.read("a.json", written(people), 64, silhouette)
        np.testing.assert_array_equal(chosen, np.float32([inside]))


def test_a_person_is_followed_whatever_their_place_in_the_list():
    walker = drawing.poses(0, joints=18) + (0, 0, 1) + np.arange(6)[:, None, None] * (5, 0, 0)
    other = drawing.poses(1, joints=18) + (200, 0, 0)
    frames = [np.stack([walker[t], other[t]][:: 1 if t % 2 else -1]) for t in range(6)]
    frames[3] = walker[3:4]
    np.testing.assert_array_equal(openpose.follow(frames), walker)


def test_joints_that_were_not_found_do_not_draw_a_person_to_the_corner():
    near, far = drawing.poses(2)[0] + (100, 100, 0), drawing.poses(2)[0] + (60, 60, 0)
    hidden = near.copy()
    hidden[5:] = 0
    followed = openpose.follow([near[None], np.stack([far, hidden])])
    np.testing.assert_array_equal(followed[1], hidden)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{}", b"[]", b'{"people": 3}', b'{"people": [{}]}', b'{"people": []}'),
        *(written([np.zeros(4)]), written([np.zeros(0)]), written([np.full((2, 3), np.nan)])),
        *(written([np.zeros(3), np.zeros(6)]), b"[" * 100_000),
    ],
)
def test_what_is_no_list_of_people_is_refused_by_name(content):
    with pytest.raises(UserError, match=r"^a\.json: "):
        openpose.read("a.json", content, 64)
