"""Where commands find the service, the key and the workspace."""

from pathlib import Path

import orjson
import pytest

from eventjobs.cli.target import Target, Where, find_target
from eventjobs.errors import UsageWrong


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    left = {"url": "http://127.0.0.1:9", "workspace": "example", "key": "k-demo"}
    (tmp_path / "demo.json").write_bytes(orjson.dumps(left))
    return tmp_path


def test_options_win_over_the_environment_and_that_over_the_folder(folder: Path) -> None:
    env = {"EVENTJOBS_URL": "http://env:1/", "EVENTJOBS_KEY": "k-env", "EVENTJOBS_WORKSPACE": "env"}
    assert find_target(Where(data_dir=folder), {}) == Target(
        url="http://127.0.0.1:9", key="k-demo", workspace="example"
    )
    assert find_target(Where(data_dir=folder), env) == Target(url="http://env:1", key="k-env", workspace="env")
    given = Where(url="http://opt:1", key="k-opt", workspace="opt", data_dir=folder)
    assert find_target(given, env) == Target(url="http://opt:1", key="k-opt", workspace="opt")


def test_the_folder_s_key_goes_to_no_other_address(folder: Path) -> None:
    assert find_target(Where(data_dir=folder, url="http://elsewhere:1"), {}).key is None


def test_without_a_demonstration_the_first_key_and_the_own_port_are_taken(tmp_path: Path) -> None:
    (tmp_path / "admin.key").write_text("k-admin\n")
    found = find_target(Where(), {"EVENTJOBS_DATA_DIR": str(tmp_path), "EVENTJOBS_PORT": "81"})
    assert found == Target(url="http://127.0.0.1:81", key="k-admin", workspace=None)
    with pytest.raises(UsageWrong, match="EVENTJOBS_WORKSPACE"):
        found.need_workspace()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text("{")
    with pytest.raises(UsageWrong, match=r"demo\.json is damaged"):
        find_target(Where(data_dir=tmp_path), {})
