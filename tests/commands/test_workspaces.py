"""Workspaces are made once, by administrators of the whole deployment."""

import pytest
from pydantic import ValidationError

from eventjobs.events.workspace import WorkspaceCreated
from eventjobs.ids import RESERVED_WORKSPACES
from tests.support.bodies import workspace
from tests.support.story import BY_NAME, Story, command


def test_a_workspace_is_made_with_its_time_zone_and_kind() -> None:
    Story().when(workspace(kind="customer")).then(
        ("workspace:acme", WorkspaceCreated(time_zone="Europe/Berlin", kind="customer"))
    )


def test_the_same_workspace_again_decides_nothing() -> None:
    Story().given(workspace()).when(workspace()).then_nothing()


def test_the_same_id_with_other_content_is_taken() -> None:
    Story().given(workspace()).when(workspace(time_zone="UTC")).then_refused("id_taken")


@pytest.mark.parametrize("name", sorted(RESERVED_WORKSPACES))
def test_words_of_the_paths_are_no_workspaces(name: str) -> None:
    Story().when(workspace(name)).then_refused("reserved_id", "id")


def test_a_time_zone_has_its_exact_name() -> None:
    Story().when(workspace(time_zone="europe/berlin")).then_refused("time_zone_unknown", "time_zone")


@pytest.mark.parametrize("name", ["", "Acme", "a" * 41, "a b", "*", "-a", "a\n"])
def test_a_workspace_id_is_short_and_plain(name: str) -> None:
    with pytest.raises(ValidationError):
        workspace(name)


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError):
        command("CreateWorkspace", id="acme", colour="red")


def test_only_administrators_of_everything_make_workspaces() -> None:
    assert BY_NAME["CreateWorkspace"].everywhere
    assert BY_NAME["CreateWorkspace"].roles == {"administrator"}
