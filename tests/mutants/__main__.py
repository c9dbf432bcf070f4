"""Prove every mutant, those that need a server too, or those named. Exit 1 if one survives: `make mutants`."""

import json
import sys
from time import monotonic

from tests.mutants.catalogue import MUTANTS
from tests.mutants.proving import proof


def main(names: list[str]) -> int:
    mutants = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    begin, caught = monotonic(), 0
    survived: list[str] = []
    with proof() as made:
        wrong = made.clean(mutants)
        if wrong is not None:
            sys.stdout.write(f"{wrong}\nthe owning tests do not pass on the source as it is\n")
            return 1
        for verdict in made.verdicts(mutants):
            caught += verdict.caught
            word = "caught  " if verdict.caught else "SURVIVED"
            sys.stdout.write(f"{word} {verdict.mutant.name} ({verdict.mutant.promise})\n")
            if not verdict.caught:
                survived.append(verdict.mutant.name)
                sys.stdout.write(f"{verdict.said}\n")
            sys.stdout.flush()
    seconds = monotonic() - begin
    sys.stdout.write(f"mutants caught {caught}/{len(mutants)} in {seconds:.0f} s\n")
    figures = {
        "suite": "mutants",
        "caught": caught,
        "of": len(mutants),
        "survived": survived,
        "seconds": round(seconds),
    }
    sys.stdout.write(f"{json.dumps(figures)}\n")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
