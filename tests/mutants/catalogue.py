"""All known-bad builds."""

from tests.mutants import of_groups, of_reports, of_runs, of_sign_in, of_slots, of_starts, of_the_log, of_time

MUTANTS = (
    *of_the_log.MUTANTS,
    *of_time.MUTANTS,
    *of_slots.MUTANTS,
    *of_groups.MUTANTS,
    *of_runs.MUTANTS,
    *of_starts.MUTANTS,
    *of_reports.MUTANTS,
    *of_sign_in.MUTANTS,
)
