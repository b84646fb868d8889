import stat
from pathlib import Path

import pytest

from historian.access.book import Book
from historian.catalogue.answer_book import AnswerBook
from historian.clock import ManualClock
from historian.errors import StoreError
from historian.metrics import Metrics
from historian.model.access import Right
from historian.settings import AccessSettings
from historian.store import filenames
from historian.store.durable import DurableFiles
from historian.tools import backup_file, manifest_file, restore, verify
from historian.tools.backup import BackupMaker
from tests.support import hand_made
from tests.support.hand_made import START_US


def nobody(what: str, done: int, total: int) -> None:
    """Told nothing."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with one backup."""
    (tmp_path / "data").mkdir()
    hand_made.write_folder(tmp_path / "data")
    (tmp_path / "data" / "quarantine").mkdir()
    (tmp_path / "data" / "quarantine" / "piece").write_bytes(b"piece")
    BackupMaker(tmp_path / "data", tmp_path / "backups", ManualClock(START_US), DurableFiles(), nobody).make()
    return tmp_path / "backups"


def test_everything_of_the_backup_is_there_again(place: Path, tmp_path: Path) -> None:
    folder, backup = restore.restore(place, tmp_path / "new" / "data", DurableFiles(), nobody)
    for entry in backup.files:
        assert (tmp_path / "new" / "data" / entry.path).read_bytes() == (folder / entry.path).read_bytes()
    assert verify.check(tmp_path / "new" / "data", None, nobody).findings == []
    assert not (tmp_path / "new" / "data" / backup_file.NAME).exists()


def test_an_empty_folder_and_that_of_a_new_file_system_are_taken(place: Path, tmp_path: Path) -> None:
    (tmp_path / "disk" / "lost+found").mkdir(parents=True)
    restore.restore(place, tmp_path / "disk", DurableFiles(), nobody)


def test_a_folder_with_anything_in_it_is_left_alone(place: Path, tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "note").write_text("mine")
    with pytest.raises(StoreError, match=r"is not empty \(note is in it\)"):
        restore.restore(place, tmp_path / "used", DurableFiles(), nobody)
    with pytest.raises(StoreError, match="is no folder"):
        restore.restore(place, tmp_path / "used" / "note", DurableFiles(), nobody)


def test_a_backup_that_does_not_check_is_not_restored_at_all(place: Path, tmp_path: Path) -> None:
    [path] = place.glob("*/catalogue.sqlite")
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"nothing was restored.*\n  catalogue\.sqlite: the checksum"):
        restore.restore(place, tmp_path / "new", DurableFiles(), nobody)
    assert not (tmp_path / "new").exists()


class Stopped(DurableFiles):
    """Fails at the n-th new file."""

    def __init__(self, after: int) -> None:
        self.left = after

    def create(self, path: Path, preallocate_bytes: int) -> int:
        self.left -= 1
        if self.left < 0:
            raise OSError("stopped")
        return super().create(path, preallocate_bytes)


def test_an_interrupted_restore_never_passes_for_a_data_folder(place: Path, tmp_path: Path) -> None:
    steps = 0
    while True:
        data = tmp_path / f"new{steps}"
        try:
            restore.restore(place, data, Stopped(steps), nobody)
        except OSError:
            if steps:  # before the first file there is nothing at all
                with pytest.raises(StoreError, match="the checksum does not match"):
                    manifest_file.read(data)
                with pytest.raises(StoreError, match="holds an interrupted restore"):
                    restore.restore(place, data, DurableFiles(), nobody)
            steps += 1
            continue
        break
    assert steps > 6
    assert manifest_file.read(data) is not None


def test_a_target_without_space_is_refused_at_once(place: Path, tmp_path: Path) -> None:
    class Full(DurableFiles):
        def free_bytes(self, path: Path) -> int:
            return 5 << 20

    with pytest.raises(StoreError, match="5 MiB free"):
        restore.restore(place, tmp_path / "new", Full(), nobody)
    assert list((tmp_path / "new").iterdir()) == []


def test_a_file_that_changes_while_it_is_copied_is_an_error(place: Path, tmp_path: Path) -> None:
    class Changing(DurableFiles):
        def create(self, path: Path, preallocate_bytes: int) -> int:
            for copy in place.glob("*/quarantine/piece"):
                copy.write_bytes(b"other")
            return super().create(path, preallocate_bytes)

    with pytest.raises(StoreError, match="changed while it was copied"):
        restore.restore(place, tmp_path / "new", Changing(), nobody)


async def test_accounts_and_kept_answers_of_a_running_historian_come_back_for_their_owner_only(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    hand_made.write_folder(data)
    clock = ManualClock(START_US)
    book = Book(data / filenames.ACCESS, clock, AccessSettings())
    _, text = book.add_token("meter", [Right.WRITE], ("south",), "anna", START_US + 86_400_000_000)
    answers = AnswerBook(data / filenames.ANSWERS, clock, 10, Metrics())
    BackupMaker(data, tmp_path / "backups", clock, DurableFiles(), nobody).make()  # both are open
    book.close()
    await answers.close()
    folder, _ = restore.restore(tmp_path / "backups", tmp_path / "new", DurableFiles(), nobody)
    for place in (folder, tmp_path / "new"):
        for name in (filenames.ACCESS, filenames.ANSWERS):
            assert stat.S_IMODE((place / name).stat().st_mode) == 0o600
    again = Book(tmp_path / "new" / filenames.ACCESS, clock, AccessSettings())
    caller = again.caller_of_token(text)
    assert caller is not None
    assert (caller.identity.name, caller.identity.stations) == ("meter", frozenset({"south"}))
    again.close()
