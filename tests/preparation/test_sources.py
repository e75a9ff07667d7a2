"""Nothing in an archive leads out of it, is read without bound, or goes missing in silence."""

import gzip
import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import archives
import pytest
from preparation import walkers

from gaitjax.errors import UserError
from gaitjax.preparation import sources
from gaitjax.preparation.sources import File, Finished, Problem


def walk(source: Path, password: str | None = None) -> tuple[dict[str, bytes], dict[str, str]]:
    """(path -> content, path -> why it is left out)."""
    found, left_out = {}, {}
    for item in sources.walk(source, password, source.parent, ()):
        match item:
            case File(path, Path() as place, _):
                found[path] = place.read_bytes()
            case File(path, read, _):
                try:
                    found[path] = read()
                except UserError as error:
                    left_out[path] = str(error)
            case Problem(path, reason, _, _):
                left_out[path] = reason
    assert not [path for path in source.parent.iterdir() if path.name.startswith(".")]
    return found, left_out


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def hostile_tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind in {
            "../up.png": tarfile.REGTYPE,
            "/etc/absolute.png": tarfile.REGTYPE,
            "a/../../up.png": tarfile.REGTYPE,
            "a/link.png": tarfile.SYMTYPE,
            "a/hard.png": tarfile.LNKTYPE,
            "a/device.png": tarfile.CHRTYPE,
            "./a/good.png": tarfile.REGTYPE,
            "a/.hidden.png": tarfile.REGTYPE,
        }.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    return buffer.getvalue()


def hostile_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("../up.png", "/etc/absolute.png", "..\\up.png", "C:\\up.png", "a\\good.png"):
            archive.writestr(name, b"content")
        link = zipfile.ZipInfo("a/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "refused"),
    [("x.tar", hostile_tar(), 6), ("x.zip", hostile_zip(), 5)],
)
def test_no_path_or_link_of_an_archive_is_followed(name, data, refused, tmp_path):
    found, left_out = walk(put(tmp_path / name, data))
    assert list(found) == ["x/a/good.png"]
    assert len(left_out) == refused
    assert set(left_out.values()) == {
        "leads out of the archive",
        "is a link or a device, which is not followed",
    }


def test_links_of_the_user_are_followed_but_not_in_circles(tmp_path):
    walkers.write_folder(tmp_path / "there", {"a/1.png": b"1"})
    (tmp_path / "in/folder").mkdir(parents=True)
    (tmp_path / "in/linked").symlink_to(tmp_path / "there")
    (tmp_path / "in/folder/back").symlink_to(tmp_path / "in")
    (tmp_path / "in/nowhere.png").symlink_to(tmp_path / "missing")
    os.mkfifo(tmp_path / "in/pipe.png")
    found, left_out = walk(tmp_path / "in")
    assert found == {"linked/a/1.png": b"1"}
    assert set(left_out) == {"folder/back", "nowhere.png", "pipe.png"}


def test_a_member_with_a_wrong_checksum_is_left_out_alone(tmp_path):
    files = {f"{i}.png": os.urandom(1000) for i in range(3)}
    data = archives.packed_zip(files).replace(files["1.png"], b"x" * 1000)
    found, left_out = walk(put(tmp_path / "x.zip", data))
    assert set(found) == {"x/0.png", "x/2.png"}
    assert "CRC" in left_out["x/1.png"]


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz", "x.tar.xz", "x.7z"])
def test_broken_archives_are_named(name, tmp_path):
    kind = name.split(".")[2] if name.count(".") == 2 else ""
    files = {f"{i}.png": os.urandom(4000) for i in range(5)}
    if name == "x.7z":
        data = walkers.write_7z(tmp_path / "x.7z", files).read_bytes()
    else:
        data = archives.packed_zip(files) if name == "x.zip" else archives.tar(files, kind)
    for broken in (b"", b"no archive", data[:9000]):
        assert name in walk(put(tmp_path / name, broken))[1]


def test_a_wrong_checksum_of_a_compressed_tar_is_found(tmp_path):
    data = bytearray(archives.tar({"a.png": b"1"}))
    data[-5] ^= 1
    assert "CRC" in walk(put(tmp_path / "x.tgz", bytes(data)))[1]["x.tgz"]


def test_headers_do_not_decide_how_much_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "LARGEST", 1000)
    files = {"large.png": b"0" * 2000, "small.png": b"1"}
    for data in (archives.packed_zip(files), archives.tar(files)):
        found, left_out = walk(put(tmp_path / "x.zip", data))
        assert found == {"x/small.png": b"1"}
        assert left_out == {
            "x/large.png": "is said to have 2000 bytes; more than 1000 are not read"
        }
    name = tarfile.TarInfo("name")
    name.type, name.size = tarfile.XHDTYPE, 2**33
    bomb = gzip.compress(name.tobuf(tarfile.GNU_FORMAT) + b"0" * 10_000)
    assert "header of 8589934592 bytes" in walk(put(tmp_path / "x.tgz", bomb))[1]["x.tgz"]


def test_an_archive_within_itself_ends(tmp_path):
    data = archives.packed_zip({"a.png": b"1"})
    for _ in range(8):
        data = archives.packed_zip({"x.zip": data})
    found, left_out = walk(put(tmp_path / "x.zip", data))
    assert not found
    assert list(left_out.values()) == ["cannot be read: archives are nested more than 4 deep"]


@pytest.mark.parametrize(("password", "why"), [(None, "needs a password"), ("no", "not opened by")])
def test_a_missing_or_wrong_password_is_said_once(password, why, tmp_path):
    files = {f"{i}.png": os.urandom(100) for i in range(3)}
    path = walkers.write_7z(tmp_path / "x.7z", files, password="yes")
    found, left_out = walk(path, password)
    assert not found
    assert why in left_out["x.7z"]
    assert walk(path, "yes")[0] == {f"x/{name}": content for name, content in files.items()}


def test_an_encrypted_zip_is_read_with_its_password_alone(tmp_path):
    path = put(tmp_path / "x.zip", Path(__file__).with_name("encrypted.zip").read_bytes())
    assert "needs a password" in walk(path)[1]["x.zip"]
    assert "not opened by" in walk(path, "no")[1]["x.zip"]
    assert walk(path, "yes") == ({"x/a.png": b"content"}, {})


def test_an_aes_zip_is_refused_by_name(tmp_path):
    data = bytearray(Path(__file__).with_name("encrypted.zip").read_bytes())
    for signature, offset in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        data[data.index(signature) + offset] = 99
    assert "encrypted with AES" in walk(put(tmp_path / "x.zip", bytes(data)))[1]["x.zip"]


def test_finished_archives_are_not_read_again(tmp_path):
    walkers.write_folder(tmp_path / "in", {"a.png": b"1"})
    put(tmp_path / "in/x.zip", archives.packed_zip({"b.png": b"2"}))
    items = list(sources.walk(tmp_path / "in", None, tmp_path, ()))
    assert [item.path for item in items[:-1]] == ["a.png", "x/b.png"]
    assert isinstance(items[-1], Finished)
    again = list(sources.walk(tmp_path / "in", None, tmp_path, {items[-1].archive}))
    assert [item.path for item in again] == ["a.png"]


def test_progress_goes_from_nothing_to_all(tmp_path):
    for name in ("a.zip", "b.tgz", "c.7z"):
        put(tmp_path / name, b"")
    files = {f"{i:03}.png": os.urandom(3000) for i in range(50)}
    put(tmp_path / "a.zip", archives.packed_zip(files))
    put(tmp_path / "b.tgz", archives.tar(files))
    walkers.write_7z(tmp_path / "c.7z", files)
    done = [item.done for item in sources.walk(tmp_path, None, tmp_path, ())]
    assert done == sorted(done)
    assert done[0] == 0
    assert done[-1] == 1
    assert len(set(done)) > 100
