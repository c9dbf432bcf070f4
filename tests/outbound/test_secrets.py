from pathlib import Path
from typing import Any

import pytest

from eventjobs.errors import JobFailed
from eventjobs.outbound.secrets import Blanker, SecretStore, variable


def put(folder: Path, name: str, value: str, workspace: str = "acme") -> None:
    (folder / workspace).mkdir(parents=True, exist_ok=True)
    (folder / workspace / name).write_text(value)


@pytest.mark.parametrize(
    ("workspace", "name", "expected"),
    [
        ("acme", "token", "EVENTJOBS_SECRET__ACME__TOKEN"),
        ("a.b", "c-d", "EVENTJOBS_SECRET__A_2EB__C_2DD"),
        ("a_b", "c_2e", "EVENTJOBS_SECRET__A_5FB__C_5F2E"),
        ("a_", "_b", "EVENTJOBS_SECRET__A_5F___5FB"),
    ],
)
def test_a_secret_s_variable_escapes_what_a_variable_cannot_hold(workspace: str, name: str, expected: str) -> None:
    assert variable(workspace, name) == expected


def test_no_two_secrets_share_a_variable() -> None:
    ids = [f"a{middle}b" for middle in ("", ".", "-", "_", "__", "2e", "_2e", ".2e", "5f", "_5f", "._", "_.", "-.")]
    names = {variable(workspace, name) for workspace in ids for name in ids}
    assert len(names) == len(ids) ** 2


def test_every_reference_is_replaced_wherever_it_stands(tmp_path: Path) -> None:
    put(tmp_path, "token", "t0ken\n")
    put(tmp_path, "other", "0ther")
    config: dict[str, Any] = {
        "url": "https://example.org",
        "headers": {"Authorization": "secret://token"},
        "list": ["secret://other", 1, None, "not secret://token"],
    }
    resolved, values = SecretStore((tmp_path,)).resolve("acme", config)
    assert resolved["headers"] == {"Authorization": "t0ken"}
    assert resolved["list"] == ["0ther", 1, None, "not secret://token"]
    assert values == {"t0ken", "0ther"}
    assert config["headers"] == {"Authorization": "secret://token"}


def test_folders_come_before_the_environment_and_in_their_order(tmp_path: Path) -> None:
    store = SecretStore((tmp_path / "1", tmp_path / "2"), {"EVENTJOBS_SECRET__ACME__TOKEN": "third"})
    assert store.read("acme", "token") == "third"
    put(tmp_path / "2", "token", "second")
    assert store.read("acme", "token") == "second"
    put(tmp_path / "1", "token", "first")
    assert store.read("acme", "token") == "first"


def test_another_workspace_s_secret_is_not_found(tmp_path: Path) -> None:
    put(tmp_path, "token", "theirs", workspace="other")
    store = SecretStore((tmp_path,), {"EVENTJOBS_SECRET__OTHER__TOKEN": "theirs"})
    with pytest.raises(JobFailed, match="secret token of workspace acme is not there") as failed:
        store.read("acme", "token")
    assert not failed.value.retryable
    assert "EVENTJOBS_SECRET__ACME__TOKEN" in failed.value.detail


@pytest.mark.parametrize("name", ["../other/token", "/etc/passwd", "", ".", "..", "A", "a/b", "a\0b", ".env", "x" * 65])
def test_a_name_that_is_no_id_is_refused(tmp_path: Path, name: str) -> None:
    put(tmp_path, "token", "theirs", workspace="other")
    with pytest.raises(JobFailed, match="is not a secret's name"):
        SecretStore((tmp_path,)).read("acme", name)


def test_a_link_may_stay_in_the_folder_but_not_leave_it(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("no")
    folder = tmp_path / "secrets"
    put(folder, "..data", "yes")
    (folder / "acme/inside").symlink_to("..data")
    (folder / "acme/outside").symlink_to(tmp_path / "outside")
    store = SecretStore((folder,))
    assert store.read("acme", "inside") == "yes"
    with pytest.raises(JobFailed, match="not a plain file of its folder"):
        store.read("acme", "outside")


def test_a_file_that_is_no_text_or_too_large_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "large", "x" * 70_000)
    (tmp_path / "acme/binary").write_bytes(b"\xff\xfe")
    (tmp_path / "acme/folder").mkdir()
    for name in ("large", "binary", "folder"):
        with pytest.raises(JobFailed):
            SecretStore((tmp_path,)).read("acme", name)


def test_known_values_are_blanked_wherever_they_stand() -> None:
    blanker = Blanker(frozenset({"t0ken", "t0ken-long"}))
    assert blanker.text("a t0ken-long and a t0ken") == "a *** and a ***"
    assert blanker.deep({"t0ken": ["x t0ken", {"n": 1}]}) == {"***": ["x ***", {"n": 1}]}
    assert Blanker(frozenset({"a"})).text("a word") == "a word"


def test_neither_store_nor_blanker_shows_values() -> None:
    assert "hush" not in repr(SecretStore((), {"EVENTJOBS_SECRET__A__B": "hush"}))
    assert "hush" not in repr(Blanker(frozenset({"hush"})))
