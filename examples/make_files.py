"""
Write the example's CSV files: people with addresses and orders, and two lists, each with what its people like.

The same files, byte for byte, each time and on every machine. They are clean, but not tidy: quoted commas, doubled
quotes, line breaks inside a field, accents, scripts from right to left, apostrophes, leading zeros, leap days, empty
values. `leads.csv` alone is not clean: some of its dates are none. Run it as `python make_files.py FOLDER`.
"""

import csv
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

SEED = 20260214
CONTACTS = 50_000
ADDRESSES = 60_000
ORDERS = 90_000
READERS = 10_000
INTERESTS = 25_000
LEADS = 1_000
LEAD_INTERESTS = 1_500

FIRST_NAMES = (
    "Ada Aisha Alan Alice Amélie Ana Anders Björk Bruno Carlos Chidi Chloë Dana Dmitri Elif Emma Farid Fatima Felix "
    "François Giulia Grace Hana Hugo Ines Ingrid Ivan Jamal Jan Jürgen Kofi Lars Leïla Liam Lina Lucía Maja Malik "
    "Marta Mehmet Mei Nia Nils Noor Olga Omar Paula Pedro Priya Quentin Rania Renée Rosa Sakura Søren Sofia Tariq "
    "Tomáš Uma Vera Wei Xavier Yara Yusuf Zoë Łukasz שירה محمد"
).split()
LAST_NAMES = (
    "Abadi Almeida Andersson Becker Bianchi Bouchard Carvalho Chen Cohen D'Angelo Dubois Eriksen Fernández Fischer "
    "García Girard Haddad Hansen Hernández Ito Ivanova Jensen Kaya Khan Kim Kowalski Kovács Larsen Lefèvre López "
    "MacLeod Mbeki Meyer Moreau Müller Nakamura Nguyen Novák Nowak O'Brien Okafor Olsen Papadopoulos Park Patel "
    "Pérez Petrov Popescu Ramírez Rossi Sánchez Schmidt Silva Singh Smith Suzuki Svensson Tanaka Torres van_den_Berg "
    "von_Bülow Wagner Weiß Williams Wójcik Yılmaz Zhang Zieliński"
).split()
COMPANIES = (
    "Acme, Inc.", 'Bar "Zum Löwen" GmbH', "Contoso Ltd", "Dubois & Fils", "Évora, Lda.", "Fjord Shipping AS",
    "Globex", "Hooli", "Initech", "Jäger; Sohn KG", "Kraków Tools sp. z o.o.", "Lumen", "Miller, Meyer, Moreau LLP",
    "Nordwind", "O'Hara Freight", "Páramo S.A.", "", "",
)  # fmt: skip
TITLES = ("Buyer", "CTO", "Head of Sales, EMEA", "Owner", "Engineer", "Analyst", "Nurse", "Teacher", "")
CITIES = (
    ("Berlin", "DE", "Europe/Berlin", "10115"), ("Boston", "US", "America/New_York", "02108"),
    ("Chicago", "US", "America/Chicago", "60601"), ("Kraków", "PL", "Europe/Warsaw", "30-001"),
    ("København", "DK", "Europe/Copenhagen", "1050"), ("Lagos", "NG", "Africa/Lagos", "100001"),
    ("London", "GB", "Europe/London", "EC1A 1BB"), ("Lyon", "FR", "Europe/Paris", "69001"),
    ("México, D.F.", "MX", "America/Mexico_City", "06000"), ("München", "DE", "Europe/Berlin", "80331"),
    ("Nairobi", "KE", "Africa/Nairobi", "00100"), ("Osaka", "JP", "Asia/Tokyo", "530-0001"),
    ("São Paulo", "BR", "America/Sao_Paulo", "01310-100"), ("Sydney", "AU", "Australia/Sydney", "2000"),
)  # fmt: skip
STREETS = (
    "Main Street",
    "High Street",
    "Rue de l'Église",
    "Bahnhofstraße",
    "Avenida 9 de Julio",
    "Łąkowa",
    "Harbour Rd",
)
NOTES = (
    "", "", "", "", "", "Prefers e-mail", 'Said: "call me after 5"', "Two lines:\nthe second one", "0 is not nothing",
    "=SUM(A1:A3) is a text here", "Tab\there", "  keeps its spaces  ", "NULL, the word", "50 % off; not more",
)  # fmt: skip
CURRENCIES = ("EUR", "EUR", "EUR", "USD", "USD", "GBP", "PLN")
STATUSES = ("paid", "paid", "paid", "shipped", "open", "returned")
LANGUAGES = ("de", "en", "en", "es", "fr", "pl")
TOPICS = ("books", "cinema", "cycling", "gardens", "music", "running", "science", "travel")
NO_DATES = ("2026-02-30", "last Tuesday", "31/31/2026", "?")
EPOCH = datetime(2019, 1, 1, tzinfo=UTC)
SECONDS = 7 * 365 * 86_400
LEAP_DAY = date(1992, 2, 29)

CONTACT_COLUMNS = (
    "contact_id", "email", "first_name", "last_name", "company", "title", "city", "country", "time_zone", "birth_date",
    "newsletter", "lifetime_value", "created_at", "note",
)  # fmt: skip
ADDRESS_COLUMNS = ("address_id", "contact_id", "kind", "street", "postal_code", "city", "country", "valid_from")
ORDER_COLUMNS = ("order_id", "contact_id", "ordered_at", "status", "currency", "amount", "items", "note")
READER_COLUMNS = ("email", "first_name", "last_name", "language", "subscribed_on")
INTEREST_COLUMNS = ("email", "topic", "score")
LEAD_COLUMNS = ("email", "first_name", "last_name", "company", "met_on")

Row = tuple[object, ...]


def contacts() -> Iterator[Row]:
    """Yield the people, by number."""
    chance = Random(SEED)
    for number in range(1, CONTACTS + 1):
        first = chance.choice(FIRST_NAMES)
        last = chance.choice(LAST_NAMES).replace("_", " ")
        city, country, zone, _ = chance.choice(CITIES)
        born = LEAP_DAY if number % 997 == 0 else date(1940, 1, 1) + timedelta(days=chance.randrange(24_000))
        yield (
            number,
            f"contact{number:05d}@example.{chance.choice(('com', 'org', 'net'))}",
            first,
            last,
            chance.choice(COMPANIES),
            chance.choice(TITLES),
            city,
            country,
            zone,
            born.isoformat() if chance.random() < 0.9 else "",
            chance.choice(("true", "false")),
            f"{chance.randrange(10_000_000) / 100:.2f}",
            _instant(chance),
            chance.choice(NOTES),
        )


def addresses() -> Iterator[Row]:
    """Yield addresses: the first one of everybody, then second ones of some."""
    chance = Random(SEED + 1)
    for number in range(1, ADDRESSES + 1):
        contact = number if number <= CONTACTS else chance.randrange(1, CONTACTS + 1)
        city, country, _, postal_code = chance.choice(CITIES)
        street = f"{chance.choice(STREETS)} {chance.randrange(1, 300)}"
        if chance.random() < 0.05:
            street = f"{street}, 3rd floor\nc/o {chance.choice(LAST_NAMES).replace('_', ' ')}"
        kind = "home" if number <= CONTACTS else "invoice"
        yield number, contact, kind, street, postal_code, city, country, _instant(chance)[:10]


def orders() -> Iterator[Row]:
    """Yield orders, each of somebody who is there."""
    chance = Random(SEED + 2)
    for number in range(1, ORDERS + 1):
        contact = 1 + min(chance.randrange(CONTACTS) for _ in range(3))
        amount = f"{chance.randrange(99, 500_000) / 100:.2f}"
        yield (
            f"O-{number:06d}",
            contact,
            _instant(chance),
            chance.choice(STATUSES),
            chance.choice(CURRENCIES),
            amount,
            chance.randrange(1, 12),
            chance.choice(NOTES),
        )


def readers() -> Iterator[Row]:
    """Yield the readers of a newsletter."""
    chance = Random(SEED + 3)
    for number in range(1, READERS + 1):
        yield _reader(number), *_name(chance), chance.choice(LANGUAGES), _instant(chance)[:10]


def interests() -> Iterator[Row]:
    """Yield what the readers like: two or three things each."""
    yield from _likes(Random(SEED + 4), _reader, READERS, INTERESTS)


def leads() -> Iterator[Row]:
    """Yield people met at a fair, as somebody typed them in: of every twentieth the date is none."""
    chance = Random(SEED + 5)
    for number in range(1, LEADS + 1):
        met = chance.choice(NO_DATES) if number % 20 == 0 else f"2026-09-{chance.randrange(14, 19)}"
        yield _lead(number), *_name(chance), chance.choice(COMPANIES), met


def lead_interests() -> Iterator[Row]:
    """Yield what the people of the fair like: a thing or two each."""
    yield from _likes(Random(SEED + 6), _lead, LEADS, LEAD_INTERESTS)


FILES: Mapping[str, tuple[tuple[str, ...], Callable[[], Iterator[Row]]]] = {
    "contacts.csv": (CONTACT_COLUMNS, contacts),
    "contact_addresses.csv": (ADDRESS_COLUMNS, addresses),
    "contact_orders.csv": (ORDER_COLUMNS, orders),
    "readers.csv": (READER_COLUMNS, readers),
    "reader_interests.csv": (INTEREST_COLUMNS, interests),
    "leads.csv": (LEAD_COLUMNS, leads),
    "lead_interests.csv": (INTEREST_COLUMNS, lead_interests),
}
ROWS: Mapping[str, int] = {
    "contacts.csv": CONTACTS,
    "contact_addresses.csv": ADDRESSES,
    "contact_orders.csv": ORDERS,
    "readers.csv": READERS,
    "reader_interests.csv": INTERESTS,
    "leads.csv": LEADS,
    "lead_interests.csv": LEAD_INTERESTS,
}


def make_files(folder: Path) -> dict[str, int]:
    """
    Write the files that are not there yet, each whole or not at all; return the number of rows of every one.

    A file that is there stays as it is: it may be somebody's own by now.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, (columns, rows) in FILES.items():
        if (folder / name).exists():
            continue
        part = folder / f"{name}.part"
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(rows())
        part.replace(folder / name)
    return dict(ROWS)


def _likes(chance: Random, address: Callable[[int], str], people: int, rows: int) -> Iterator[Row]:
    for row in range(rows):
        topic = TOPICS[(row % people + row // people) % len(TOPICS)]
        yield address(row % people + 1), topic, chance.randrange(1, 101)


def _name(chance: Random) -> Row:
    return chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES).replace("_", " ")


def _reader(number: int) -> str:
    return f"reader{number:05d}@example.org"


def _lead(number: int) -> str:
    return f"lead{number:04d}@example.com"


def _instant(chance: Random) -> str:
    return (EPOCH + timedelta(seconds=chance.randrange(SECONDS))).isoformat().replace("+00:00", "Z")


if __name__ == "__main__":
    for name, rows in make_files(Path(sys.argv[1] if len(sys.argv) > 1 else ".")).items():
        print(f"{name}: {rows:,} rows")
