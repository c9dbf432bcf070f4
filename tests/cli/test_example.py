"""The example's files and commands."""

import csv
import hashlib
from pathlib import Path

import pytest

from eventjobs.cli.example import make_example_files, read_example
from eventjobs.commands import PUBLIC

URL = "http://127.0.0.1:8080"
COMMANDS = {spec.name: spec.command for spec in PUBLIC}
SHA256 = {
    "contacts.csv": "b6ce9d3db90dd8d457e516247342b00d6a3a9f18a2306e7167096a6e141538b3",
    "contact_addresses.csv": "466e4ac35d78c3928de9a663c2831590907faa81d743f175c58cff120dba9624",
    "contact_orders.csv": "7c550bd80d1e116748005d133f5dfad17abcc2afeefa50ad5ef806d444558299",
    "readers.csv": "54fb5a254e6bc99c6fc8645fde45ae6f4aac25813f267137da5855c80b4fd8af",
    "reader_interests.csv": "0d2dca0f0396bf3b234edd302b95077ed78e6a086891298281fd3c2df1e5a97b",
    "leads.csv": "4fc0623cc611969224ee254e0b86513327e7e7b64b2a6c64e31c01e6027f22ab",
    "lead_interests.csv": "0885fbea174104d8ad4a7e6e9b2bdb44f0181e6ac63ffabe7f782428108baa86",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("files")
    assert make_example_files(made)["contacts.csv"] == 50_000
    return made


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as text:
        return list(csv.DictReader(text))


def test_the_files_have_the_rows_that_are_told(folder: Path) -> None:
    for name, rows in make_example_files(folder).items():
        assert len(rows_of(folder / name)) == rows


def test_every_address_and_order_is_a_contact_s(folder: Path) -> None:
    contacts = {row["contact_id"] for row in rows_of(folder / "contacts.csv")}
    for name in ("contact_addresses.csv", "contact_orders.csv"):
        assert {row["contact_id"] for row in rows_of(folder / name)} <= contacts


def test_every_interest_is_of_somebody_on_the_list_and_named_once(folder: Path) -> None:
    for people, interests in (("readers.csv", "reader_interests.csv"), ("leads.csv", "lead_interests.csv")):
        likes = [(row["email"], row["topic"]) for row in rows_of(folder / interests)]
        assert {email for email, _ in likes} <= {row["email"] for row in rows_of(folder / people)}
        assert len(set(likes)) == len(likes)


def test_the_files_are_the_same_on_every_machine(folder: Path) -> None:
    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in SHA256} == SHA256


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "contacts.csv").write_text("mine\n")
    make_example_files(tmp_path)
    assert (tmp_path / "contacts.csv").read_text() == "mine\n"
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(SHA256)


def test_the_example_s_commands_are_understood() -> None:
    example = read_example(URL)
    bodies = [
        ("CreateWorkspace", example.workspace),
        *(("AddService", service) for service in example.services),
        ("CreateSchedule", example.schedule),
        *(("SaveJob", job) for job in example.jobs),
        *(("CreateGroup", group) for group in example.groups),
    ]
    for name, body in bodies:
        COMMANDS[name].model_validate(body, strict=False)


def test_every_import_has_a_file_and_the_groups_have_all_list_imports_between_them(folder: Path) -> None:
    example = read_example(URL)
    assert example.totals(make_example_files(folder))["reader-interests"] == 25_000
    assert [job for group in example.groups for job in group["jobs"]] == [job["id"] for job in example.jobs]


def test_the_example_is_two_imports_side_by_side_one_after_them_and_a_call_that_nobody_waits_for() -> None:
    example = read_example(URL)
    handlers = {service["id"]: service["handler"] for service in example.services}
    jobs = [(handlers[row["job"]["id"]], row["seq"], row.get("skip_wait", False)) for row in example.schedule["jobs"]]
    assert sorted(jobs) == [
        ("csv.import", 1, False),
        ("csv.import", 1, False),
        ("csv.import", 2, False),
        ("http", 1, True),
    ]
    assert example.schedule["active"] is False
    urls = [service["config"]["url"] for service in example.services if service["handler"] == "http"]
    assert urls == [f"{URL}/readyz"]
