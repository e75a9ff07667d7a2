"""Archives as bytes."""

import io
import tarfile
import zipfile
from collections.abc import Mapping


def tar(members: Mapping[str, bytes], kind: str = "gz") -> bytes:
    """A tar of these files; `kind` is '' for one that is not packed."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=f"w:{kind}") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def packed_zip(members: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()
