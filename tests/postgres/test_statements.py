import pytest

from eventjobs.postgres.statements import migrations, read_migration, statement


def test_a_statement_nobody_wrote_is_a_lookup_error() -> None:
    with pytest.raises(LookupError, match="no statement 'nobody/wrote_this'"):
        statement("nobody/wrote_this")


def test_the_up_part_ends_where_the_down_part_begins() -> None:
    step = read_migration("0007_things.sql", "-- migrate:up\nSELECT 1;\n\n-- migrate:down\nSELECT 2;\n")
    assert (step.number, step.name, step.sql, step.in_transaction) == (7, "0007_things", "SELECT 1;", True)


def test_a_changed_up_part_has_another_checksum_and_a_changed_down_part_has_not() -> None:
    one = read_migration("0001_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;")
    other_up = read_migration("0001_a.sql", "-- migrate:up\nSELECT 9;\n-- migrate:down\nSELECT 2;")
    other_down = read_migration("0001_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 9;")
    assert one.checksum != other_up.checksum
    assert one.checksum == other_down.checksum


def test_a_step_may_ask_to_run_outside_a_transaction() -> None:
    assert not read_migration("0001_a.sql", "-- migrate:up transaction:false\nSELECT 1;").in_transaction


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("1_short_number.sql", "-- migrate:up\nSELECT 1;"),
        ("0001-dash.sql", "-- migrate:up\nSELECT 1;"),
        ("0001_no_up.sql", "SELECT 1;"),
        ("0001_two_ups.sql", "-- migrate:up\nSELECT 1;\n-- migrate:up\nSELECT 2;"),
    ],
)
def test_a_file_that_is_no_migration_is_refused(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=name):
        read_migration(name, text)


def test_migrations_come_in_the_order_of_their_numbers() -> None:
    numbers = [step.number for step in migrations()]
    assert numbers == sorted(set(numbers))
