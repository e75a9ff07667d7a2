import contextlib
import os
import pickle
import tracemalloc

import numpy as np
import pytest

from gaitjax import pickles
from gaitjax.errors import UserError

ARRAYS = {
    "uint8": np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
    "float32": np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4),
    "column order": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "strided": np.arange(24, dtype=np.int16).reshape(4, 6)[:, ::2],
    "big endian": np.arange(5, dtype=">i4"),
    "bool": np.array([True, False]),
    "large": np.arange(960).astype(np.uint8).reshape(20, 8, 6),
    "large, column order": np.asfortranarray(np.arange(960.0).reshape(20, 48)),
    "large, big endian": np.arange(960, dtype=">f4"),
}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "000.pkl"


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", ARRAYS)
def test_reads_what_any_protocol_pickled(path, name, protocol):
    path.write_bytes(pickle.dumps(ARRAYS[name], protocol))
    found = pickles.read(path)
    np.testing.assert_array_equal(found, ARRAYS[name])
    assert found.dtype == ARRAYS[name].dtype.newbyteorder("=")


def outcome(pickled):
    try:
        return pickles.parse("it", pickled).tolist()
    except UserError as error:
        return str(error)


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_a_large_array_takes_a_short_cut_to_the_same_result(protocol, monkeypatch):
    pickled = pickle.dumps(ARRAYS["large"], protocol)
    around = [*range(300), *range(600, len(pickled))]  # what lies between are data for sure
    changed = [pickled[:i] + bytes([pickled[i] ^ 1 << i % 8]) + pickled[i + 1 :] for i in around]
    cut = [pickled[:i] for i in around]
    longer = [pickled[:i] + b"B" + pickled[i:] for i in around]
    inputs = [pickled, *changed, *cut, *longer]
    short = [outcome(x) for x in inputs]
    assert pickles._plain(pickled) is not None
    monkeypatch.setattr(pickles, "_plain", lambda pickled: None)
    assert short == [outcome(x) for x in inputs]


def test_reads_the_module_names_of_old_numpy(path):
    for protocol in (2, 3):
        pickled = pickle.dumps(ARRAYS["uint8"], protocol)
        assert b"numpy._core." in pickled
        path.write_bytes(pickled.replace(b"numpy._core.", b"numpy.core."))
        np.testing.assert_array_equal(pickles.read(path), ARRAYS["uint8"])


@pytest.mark.parametrize("rows", [2, 2000])  # longer byte strings have another opcode
def test_reads_the_byte_strings_of_python_2(path, rows):
    array = np.resize(np.array([0, 1, 2, 253, 254, 255], np.uint8), (rows, 3))
    size = b"U\x06" if rows == 2 else b"T" + (3 * rows).to_bytes(4, "little")
    path.write_bytes(
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85U\x01b"
        b"\x87Rq\x03(K\x01M"
        + rows.to_bytes(2, "little")
        + b"K\x03\x86cnumpy\ndtype\nq\x04U\x02u1K\x00K\x01"
        b"\x87Rq\x05(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        + size
        + array.tobytes()
        + b"tb."
    )
    np.testing.assert_array_equal(pickles.read(path), array)


@pytest.mark.parametrize("protocol", range(6))
def test_stacks_a_list_of_frames(path, protocol):
    frames = [np.full((2, 3), i, np.int32) for i in range(1200)]
    path.write_bytes(pickle.dumps(frames, protocol))
    np.testing.assert_array_equal(pickles.read(path), np.stack(frames))


def test_what_it_writes_is_a_plain_pickle_and_leaves_nothing_beside_it(path):
    pickles.write(path, ARRAYS["uint8"])
    pickles.write(path, ARRAYS["float32"])
    np.testing.assert_array_equal(pickles.read(path), ARRAYS["float32"])
    np.testing.assert_array_equal(pickle.loads(path.read_bytes()), ARRAYS["float32"])
    assert names(path.parent) == [path.name]


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing(path, monkeypatch):
    pickles.write(path, ARRAYS["uint8"])

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(UserError, match=r"000\.pkl cannot be written to: No space left"):
        pickles.write(path, ARRAYS["float32"])
    np.testing.assert_array_equal(pickles.read(path), ARRAYS["uint8"])
    assert names(path.parent) == [path.name]


class Calls:
    """Pickles as a call of anything, followed by the setting of any state."""

    def __init__(self, function, *arguments, state=None):
        self.reduced = (function, arguments, state)[: 2 if state is None else 3]

    def __reduce__(self):
        return self.reduced


def claims(shape, dtype="u1", data=b"12"):
    """An array whose pickle claims a shape and a data type that its bytes do not have."""
    reconstruct, arguments, _ = np.zeros(1).__reduce__()
    state = (1, shape, np.dtype(dtype), False, data)
    return Calls(reconstruct, *arguments, state=state)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("where", ["alone", "in a list", "as state", "as data type"])
def test_runs_nothing_that_a_file_asks_for(path, tmp_path, where, protocol):
    bomb = Calls(os.system, f"touch {tmp_path}/bomb")
    array = ARRAYS["uint8"]
    reconstruct, arguments, state = array.__reduce__()
    pickled = {
        "alone": bomb,
        "in a list": [array, bomb],
        "as state": Calls(reconstruct, *arguments, state=(*state[:4], bomb)),
        "as data type": Calls(reconstruct, *arguments, state=(*state[:2], bomb, *state[3:])),
    }[where]
    path.write_bytes(pickle.dumps(pickled, protocol))
    with pytest.raises(UserError, match=r"000\.pkl was refused: it asks for (posix|nt)\.system"):
        pickles.read(path)
    assert names(tmp_path) == [path.name]
    with contextlib.suppress(TypeError):  # what it returns is neither state nor data type
        pickle.loads(path.read_bytes())
    assert "bomb" in names(tmp_path)  # it was a real one


@pytest.mark.parametrize(
    "content",
    [
        {"frames": ARRAYS["uint8"]},
        "text",
        b"bytes",
        7,
        None,
        [],
        [1, 2, 3],
        [ARRAYS["uint8"], ARRAYS["float32"]],
        [[ARRAYS["uint8"]]],
        np.array([1, "a", None], object),
        np.array(["a", "b"]),
        np.zeros(2, complex),
        np.zeros(2, "datetime64[s]"),
        np.zeros(2, [("x", "f4")]),
        np.float32(1),
        np.array(1.0),
    ],
    ids=lambda content: str(content)[:20],
)
def test_refuses_whatever_is_no_array_of_numbers(path, content):
    for protocol in (0, 2, 4, 5):
        path.write_bytes(pickle.dumps(content, protocol))
        with pytest.raises(UserError, match=r"000\.pkl was refused"):
            pickles.read(path)


@pytest.mark.parametrize("protocol", range(6))
def test_refuses_a_file_that_is_cut_off_anywhere(path, protocol):
    pickled = pickle.dumps(ARRAYS["uint8"], protocol)
    for end in range(len(pickled)):
        path.write_bytes(pickled[:end])
        with pytest.raises(UserError, match=r"000\.pkl is (empty|cut off)"):
            pickles.read(path)


def test_refuses_what_is_no_pickle(path, tmp_path):
    for content in (b"\x89PNG\r\n\x1a\n", b"hello world", b"\x93NUMPY", bytes(100), b"."):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"cut off or no pickle|refused"):
            pickles.read(path)
    with pytest.raises(UserError, match=r"missing\.pkl cannot be read: No such file"):
        pickles.read(tmp_path / "missing.pkl")


@pytest.mark.filterwarnings("ignore:invalid escape")  # pickletools on damaged text
def test_a_damaged_file_is_an_array_or_a_user_error(path):
    rng = np.random.default_rng(0)
    refused = 0
    for protocol in range(6):
        pickled = np.frombuffer(pickle.dumps([ARRAYS["uint8"]] * 2, protocol), np.uint8)
        for _ in range(200):
            damaged = pickled.copy()
            places = rng.integers(0, len(damaged), rng.integers(1, 4))
            damaged[places] = rng.integers(0, 256, len(places))
            path.write_bytes(damaged.tobytes())
            try:
                assert isinstance(pickles.read(path), np.ndarray)
            except UserError:
                refused += 1
    assert refused > 100


def nested_tuples(depth):
    """A tuple whose hash and whose text take 2 ** depth steps, in 6 * depth bytes."""
    levels = b"".join(b"q%ch%ch%c\x86" % (i, i, i) for i in range(depth))
    return b"\x80\x02)" + levels


@pytest.mark.parametrize(
    "pickled",
    [
        pickle.dumps(claims((1 << 20, 1 << 20))),
        pickle.dumps(claims((1 << 200,))),
        pickle.dumps(claims((-1, -2))),
        pickle.dumps(claims((2,) * 100)),
        pickle.dumps(claims((1,), "f8")),
        pickle.dumps([np.zeros(1 << 16, np.uint8)] * 10_000),
        b"\x80\x02Nr\xff\xff\xff\x7f.",  # a memo of 2 ** 31 entries
        b"\x80\x04\x8e" + (1 << 40).to_bytes(8, "little") + b"12.",  # bytes of 1 TiB
        b"\x80\x05\x96" + (1 << 40).to_bytes(8, "little") + b"12.",  # a bytearray of 1 TiB
        b"\x80\x04X"
        + (100_000).to_bytes(4, "little")
        + b"n" * 100_000
        + b"\x94"
        + b"h\0h\0\x93" * 5000,
        nested_tuples(60) + b")R.",
        b"\x80\x02cnumpy\ndtype\n" + nested_tuples(60)[2:] + b"\x85R.",
    ],
    ids=[
        "huge",
        "huger",
        "negative",
        "axes",
        "short",
        "list",
        "memo",
        "bytes",
        "bytearray",
        "names",
    ]
    + ["hash of a name", "hash of a data type"],
)
def test_a_file_takes_no_more_memory_than_it_is_long(path, pickled):
    path.write_bytes(pickled)
    tracemalloc.start()
    with pytest.raises(UserError, match=r"000\.pkl"):
        pickles.read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * len(pickled) + 1_000_000


CLOUDS = [np.arange(3.0 * n).reshape(n, 3) for n in (4, 2, 5)]


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_reads_arrays_of_several_shapes_as_a_list(protocol):
    objects = np.empty(3, object)
    objects[:] = CLOUDS
    for held in (CLOUDS, objects):
        found = pickles.parse_list("000.pkl", pickle.dumps(held, protocol))
        assert len(found) == 3
        assert all(map(np.array_equal, found, CLOUDS))
        with pytest.raises(UserError, match=r"000\.pkl was refused: .* several shapes"):
            pickles.parse("000.pkl", pickle.dumps(held, protocol))


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_reads_named_arrays_of_the_first_dictionary(protocol):
    people = [{"cam": np.ones(3, np.float16), "poses": np.zeros(72), "name": "x", "score": 0.5}, {}]
    for held in (people[0], people, np.array(people), np.array(people[0]), [people]):
        cam, poses = pickles.parse_fields("0.npz", pickle.dumps(held, protocol), ("cam", "poses"))
        np.testing.assert_array_equal(cam, np.ones(3))
        np.testing.assert_array_equal(poses, np.zeros(72))
    with pytest.raises(UserError, match=r"0\.npz was refused: its dictionary lacks .* betas"):
        pickles.parse_fields("0.npz", pickle.dumps(people, protocol), ("cam", "betas"))
    for held in (np.zeros(3), [[[people[0]]]], "x"):
        with pytest.raises(UserError, match=r"0\.npz was refused: it holds no dictionary"):
            pickles.parse_fields("0.npz", pickle.dumps(held, protocol), ("cam",))


def test_a_dictionary_runs_nothing_either(tmp_path):
    pickled = pickle.dumps({"cam": Calls(os.system, f"touch {tmp_path}/bomb")})
    with pytest.raises(UserError, match=r"it asks for posix\.system, which was not run"):
        pickles.parse_fields("0.npz", pickled, ("cam",))
    assert not names(tmp_path)
