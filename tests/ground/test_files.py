"""Files from elsewhere are opened only if they are files, and read only as far as they are allowed to go."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest

from conformance.ground import limits
from conformance.ground.files import files_in, files_under, open_file, read_file, replacing


def test_a_file_and_a_link_to_one_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "b").symlink_to("a")
    assert read_file(tmp_path / "a", 5) == read_file(tmp_path / "b", 5) == b"12345"
    with open_file(tmp_path / "b") as file:
        assert file.read() == b"12345"


def test_a_file_past_its_limit_is_refused_without_reading_all_of_it(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(OSError, match="it has more than 1,000 bytes"):
        read_file(tmp_path / "sparse", 1000)


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")  # which nobody writes to: a plain open would wait for ever
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        (tmp_path / "folder").mkdir()
        (tmp_path / "link").symlink_to("fifo")
        found = {
            "fifo": "a FIFO",
            "link": "a FIFO",
            "folder": "a folder",
            "socket": "a socket",
            "/dev/zero": "a device",
        }
        for name, kind in found.items():
            with pytest.raises(OSError, match=f"expected a file, found {kind}"):
                read_file(tmp_path / name, 10)


def test_links_that_lead_nowhere_or_to_themselves_are_errors_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "nowhere").symlink_to("nothing")
    for name in ("loop", "nowhere", "x" * 300):
        with pytest.raises(OSError, match=r"symbolic links|No such file|too long"):
            read_file(tmp_path / name, 10)


def test_files_are_found_in_every_folder_and_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for name in ("a.yaml", "b.txt", "deep/c.yaml", "deep/er/d.yaml"):
        (tmp_path / name).touch()
    (tmp_path / "deep" / "cycle").symlink_to(tmp_path)
    (tmp_path / "deep" / "link.yaml").symlink_to("c.yaml")
    found = {path.relative_to(tmp_path).as_posix() for path in files_under(tmp_path, ".yaml")}
    assert found == {"a.yaml", "deep/c.yaml", "deep/er/d.yaml", "deep/link.yaml"}


def test_what_stands_in_a_folder_is_sorted_and_what_is_no_folder_holds_nothing(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.jsonl", "c.json"):
        (tmp_path / name).touch()
    assert [path.name for path in files_in(tmp_path, ".jsonl")] == ["a.jsonl", "b.jsonl"]
    for path in (tmp_path / "a.jsonl", tmp_path / "nowhere", tmp_path / ("x" * 300)):
        assert files_in(path, ".jsonl") == []


def test_a_search_ends_after_so_many_files_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FOLDER_ENTRIES", 3)
    for name in "abc":
        (tmp_path / name).touch()
    assert len(list(files_under(tmp_path, ""))) == 3
    (tmp_path / "d").touch()
    with pytest.raises(OSError, match="more than 3 files and folders"):
        list(files_under(tmp_path, ""))


def test_what_is_written_takes_an_older_files_place_in_one_go(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("old")
    link = tmp_path / "link.html"
    link.symlink_to(path)
    with replacing(link) as new:
        new.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new" and link.is_symlink()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link.html", "page.html"]


def test_of_what_can_not_be_written_the_older_file_stays_and_the_error_names_it(tmp_path: Path) -> None:
    def write_half(error: BaseException) -> None:
        with replacing(path) as new:
            new.write_text("half")
            raise error

    path = tmp_path / "page.html"
    path.write_text("old")
    with pytest.raises(OSError) as caught:
        write_half(OSError(errno.ENOSPC, "No space left on device"))
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
    with pytest.raises(KeyboardInterrupt):
        write_half(KeyboardInterrupt())
    assert path.read_text() == "old"
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError) as caught, replacing(tmp_path / "folder") as new:
        new.write_text("new")
    assert caught.value.filename == str(tmp_path / "folder")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["folder", "page.html"]


def test_an_error_about_another_file_is_not_taken_for_one_of_this(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, replacing(tmp_path / "page.html"):
        (tmp_path / "none").read_text()
    assert caught.value.filename == str(tmp_path / "none")


def test_a_device_is_written_to_itself() -> None:
    with replacing(Path("/dev/null")) as new:
        assert new == Path("/dev/null")
