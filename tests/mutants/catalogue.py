"""All known-bad builds."""

from tests.mutants import of_runs, of_starts, of_the_log, of_time

MUTANTS = (*of_the_log.MUTANTS, *of_time.MUTANTS, *of_runs.MUTANTS, *of_starts.MUTANTS)
