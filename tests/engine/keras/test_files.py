"""Files that programs of keras expect to be downloaded: found where they are put, else the words say where."""

import hashlib
import tarfile

import pytest

import millstream as ms

get_file = ms.keras.utils.get_file


def test_files_are_found_checked_and_unpacked(tmp_path):
    folder = tmp_path / "datasets"
    folder.mkdir()
    file = folder / "table.csv"
    with pytest.raises(
        FileNotFoundError, match=r"table\.csv is not there, and nothing is downloaded: .* http://x/table\.csv"
    ):
        get_file("table.csv", "http://x/table.csv", cache_dir=tmp_path)
    file.write_bytes(b"1,2")
    good = hashlib.sha256(b"1,2").hexdigest()
    assert get_file("table.csv", "http://x", file_hash=good, cache_dir=str(tmp_path)) == str(file)
    assert get_file("table.csv", "http://x", cache_dir="/nowhere", cache_subdir=str(folder)) == str(file)
    with pytest.raises(ValueError, match=r"md5 hash .* should have 00"):
        get_file("table.csv", "http://x", md5_hash="00", cache_dir=tmp_path)
    with tarfile.open(folder / "many.tar.gz", "w:gz") as archive:
        archive.add(file, "many/one.csv")
    for _ in range(2):
        assert get_file("many", "http://x", untar=True, cache_dir=tmp_path) == str(folder / "many")
    assert (folder / "many" / "one.csv").read_bytes() == b"1,2"
    with tarfile.open(folder / "more.tar", "w") as archive:
        archive.add(file, "two.csv")
    assert get_file("more.tar", "http://x", extract=True, cache_dir=tmp_path) == str(folder / "more.tar")
    assert (folder / "two.csv").is_file()
