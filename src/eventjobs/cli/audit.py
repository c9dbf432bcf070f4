"""`eventjobs audit`: proofs, made beside a running service and without trusting it."""

from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Final, TypeVar

from cyclopts import App, Parameter

from eventjobs.audit.export import export_lines
from eventjobs.audit.findings import Report
from eventjobs.audit.occurrences import Ledger
from eventjobs.audit.seal import read_private_key, read_public_key
from eventjobs.audit.verify import BATCH, Broken, Read, Verified, verify_export, verify_log
from eventjobs.audit.versions import UNKNOWN
from eventjobs.cli import exits
from eventjobs.cli.databases import reaching_the_database
from eventjobs.cli.files import new_file
from eventjobs.cli.output import print_json, say
from eventjobs.errors import UsageWrong
from eventjobs.events import EVENT_TYPES
from eventjobs.ids import EVERYWHERE
from eventjobs.log.codec import Codec
from eventjobs.log.port import EVERYTHING, Filter
from eventjobs.log.postgres_reads import PostgresReads
from eventjobs.log.postgres_storage import SESSION
from eventjobs.log.upcasts import UPCASTS
from eventjobs.postgres.embedded import EmbeddedPostgres
from eventjobs.postgres.pool import open_pool
from eventjobs.settings import Settings, load_settings

T = TypeVar("T")

TOLD: Final = 10
"""How many findings are told in sentences; `--json` has more."""
CLUSTERS: Final = ("pg", "pg.path")
"""What a data folder has once there was a database in it."""

audit: Final = App(name="audit", help="Prove that the log is whole.")


@audit.command
async def verify(
    *,
    data_dir: Annotated[Path | None, Parameter(help="the log of this data folder [EVENTJOBS_DATA_DIR]")] = None,
    database_url: Annotated[str | None, Parameter(help="the log in this database [EVENTJOBS_DATABASE_URL]")] = None,
    export: Annotated[
        Path | None, Parameter(help="an export, as `audit export` writes it and /v1/log/events gives it")
    ] = None,
    signed_by: Annotated[
        Path | None, Parameter(help="the public key (PEM, Ed25519) by which the export has to be sealed")
    ] = None,
    json: Annotated[bool, Parameter(negative="", help="print the verdict as JSON")] = False,
) -> int:
    """
    Recompute every leaf and every chain value of the log.

    Exit code 0: every event is as it was written. 1: broken, and the first such position is named. 2: wrong usage.
    3: the log cannot be read.
    """
    if sum(given is not None for given in (data_dir, database_url, export)) > 1:
        raise UsageWrong("give one of --data-dir, --database-url and --export")
    if signed_by is not None and export is None:
        raise UsageWrong("--signed-by is about an --export")
    if export is not None:
        verdict = _verify_file(export, signed_by)
    else:
        settings = load_settings({"data_dir": data_dir, "database_url": database_url})
        url = None if data_dir is not None else settings.server_url
        with reaching_the_database():
            async with _reading(settings, database_url or url) as reads:
                verdict = await verify_log(_everything(reads))
    return _tell(verdict, as_json=json)


@audit.command
async def occurrences(
    *,
    data_dir: Annotated[Path | None, Parameter(help="the log of this data folder [EVENTJOBS_DATA_DIR]")] = None,
    database_url: Annotated[str | None, Parameter(help="the log in this database [EVENTJOBS_DATABASE_URL]")] = None,
    json: Annotated[bool, Parameter(negative="", help="print the report as JSON")] = False,
) -> int:
    """
    Recompute what was due from the log alone, and show that each moment has exactly one outcome.

    Exit code 0: nothing is left over, doubled, early, late without a cause, or not the rule's. 1: something is, and the
    first such position is named. 2: wrong usage. 3: the log cannot be read.
    """
    if data_dir is not None and database_url is not None:
        raise UsageWrong("give one of --data-dir and --database-url")
    settings = load_settings({"data_dir": data_dir, "database_url": database_url})
    url = None if data_dir is not None else settings.server_url
    with reaching_the_database():
        async with _reading(settings, database_url or url) as reads:
            report = await _audit(_everything(reads))
    return _report(report, as_json=json)


@audit.command
async def export(
    file: Annotated[Path, Parameter(help="the file to write; it may not exist")],
    /,
    *,
    workspace: Annotated[
        str, Parameter(help="leave out what happened in other workspaces, but for its place in the proof")
    ] = EVERYWHERE,
    key: Annotated[Path | None, Parameter(help="the private key (PEM, Ed25519) to sign with")] = None,
    data_dir: Annotated[Path | None, Parameter(help="the log of this data folder [EVENTJOBS_DATA_DIR]")] = None,
    database_url: Annotated[str | None, Parameter(help="the log in this database [EVENTJOBS_DATABASE_URL]")] = None,
    json: Annotated[bool, Parameter(negative="", help="print what was written as JSON")] = False,
) -> int:
    """
    Write the log up to its present end, one event a line, and a last line that says so, signed where a key is given.

    Others may write meanwhile. `audit verify --export FILE` checks it anywhere, `--signed-by` with the public key.
    """
    if data_dir is not None and database_url is not None:
        raise UsageWrong("give one of --data-dir and --database-url")
    signer = None if key is None else _key(key, read_private_key)
    settings = load_settings({"data_dir": data_dir, "database_url": database_url})
    url = None if data_dir is not None else settings.server_url
    with reaching_the_database():
        async with _reading(settings, database_url or url) as reads:
            if not await reads.read(0, 1, None, Filter(workspace=None if workspace == EVERYWHERE else workspace)):
                raise UsageWrong(f"nothing ever happened in a workspace {workspace!r}")
            head = await reads.head()
            until = 0 if head is None else head.position
            with new_file(file) as written:
                async for line in export_lines(_everything(reads), until, workspace=workspace, key=signer):
                    written.write(line)
    if json:
        print_json({"file": str(file.absolute()), "position": until, "signed": signer is not None})
    else:
        say(f"{file}: the log up to position {until:,}, {'signed' if signer else 'not signed'}.")
    return exits.OK


async def _audit(read: Read) -> Report:
    ledger = Ledger()
    while facts := await read(ledger.position, BATCH):
        for fact in facts:
            ledger.take(fact)
    return ledger.close()


def _report(report: Report, *, as_json: bool) -> int:
    if as_json:
        print_json(report.document())
    elif report.clean:
        outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(report.occurrences.items()))
        say(
            f"Every moment that was due has one outcome: {outcomes or 'none was due'}; "
            f"{report.steps:,} steps of {report.owners:,} owners in {report.positions:,} events follow the rule."
        )
    else:
        first = report.findings[0]
        say(f"Broken at position {first.position}: {first.owner.name} in {first.owner.workspace}: {first.what}.")
        for finding in report.findings[1:TOLD]:
            say(f"  and at {finding.position} ({finding.kind}): {finding.owner.name}: {finding.what}.")
        if report.found > TOLD:
            say(f"  and {report.found - TOLD:,} more.")
    if report.not_checked and not as_json:
        for version, count in report.not_checked.items():
            which = "that the log does not name" if version == UNKNOWN else f"{version}, which is not installed"
            say(f"{count:,} steps were made with zone data {which}, and cannot be made again.")
    return exits.OK if report.clean else exits.REFUSED


def _verify_file(export: Path, signed_by: Path | None) -> Verified | Broken:
    signer = None if signed_by is None else _key(signed_by, read_public_key)
    try:
        with export.open("rb") as lines:
            return verify_export(lines, signer)
    except OSError as error:
        raise UsageWrong(f"{export}: {error.strerror}") from None


def _key(file: Path, read: Callable[[Path], T]) -> T:
    try:
        return read(file)
    except OSError as error:
        raise UsageWrong(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise UsageWrong(str(error)) from None


def _everything(reads: PostgresReads) -> Read:
    return lambda after, limit: reads.read(after, limit, None, EVERYTHING)


@asynccontextmanager
async def _reading(settings: Settings, url: str | None) -> AsyncIterator[PostgresReads]:
    """Yield a way to read the log, beside whoever writes to it; the embedded server is started if it does not run."""
    embedded: EmbeddedPostgres | None = None
    if url is None:
        if not any((settings.data_dir / name).exists() for name in CLUSTERS):
            raise UsageWrong(f"there is no log in {settings.data_dir}; give --data-dir, --database-url or --export")
        embedded = EmbeddedPostgres(settings.data_dir, pg_bin=settings.pg_bin)
    try:
        reachable = await embedded.start() if embedded is not None else url or ""
        async with await open_pool(reachable, role=None, min_size=1, max_size=1, settings=SESSION) as pool:
            yield PostgresReads(pool, Codec(EVENT_TYPES, UPCASTS))
    finally:
        if embedded is not None:
            await embedded.stop()


def _tell(verdict: Verified | Broken, *, as_json: bool) -> int:
    if isinstance(verdict, Broken):
        document: dict[str, object] = {"verified": False, "position": verdict.position, "problem": verdict.what}
        sentence = f"Broken at position {verdict.position}: {verdict.what}."
    else:
        chain = verdict.chain.hex()
        document = {"verified": True, "positions": verdict.positions, "chain": chain}
        sentence = f"Verified: {verdict.positions:,} events, each as it was written; the chain ends with {chain}."
        if (sealed := verdict.sealed) is not None:
            by = None if sealed.key is None else b64encode(sealed.key).decode()
            document |= {"workspace": sealed.seal.workspace, "left_out": verdict.left_out, "signed_by": by}
            whose = "the whole log" if sealed.seal.workspace == EVERYWHERE else f"workspace {sealed.seal.workspace!r}"
            sentence += f"\nSealed as {whose}, {'not signed' if by is None else f'signed with the key {by}'}."
            if verdict.left_out:
                sentence += f" {verdict.left_out:,} events of others are there by their proof alone."
    if as_json:
        print_json(document)
    else:
        say(sentence)
    return exits.OK if isinstance(verdict, Verified) else exits.REFUSED
