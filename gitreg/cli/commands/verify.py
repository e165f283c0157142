"""``gitreg verify``."""

from __future__ import annotations

import re
from collections import Counter

import click

from gitreg.cli.arguments import ReferenceArgument
from gitreg.cli.click_completion import complete_fields, complete_reference
from gitreg.cli.command import Command
from gitreg.cli.options import listing_options, open_registry
from gitreg.cli.output import emit, note, print_line, print_table
from gitreg.cli.progress import progress
from gitreg.errors import IntegrityError, InvalidInput, Refused
from gitreg.registry.promotion.stage_holders import is_refused, sentence
from gitreg.sdk import verbs
from gitreg.units import size_text

_COLUMNS = ("reference", "artifact", "path", "size", "ok", "problem", "store", "read", "contents")

_WRONG_BYTES = "`gitreg doctor` says what another store can give back; else save the same files again"
_WRONG_RECORD = "ask who saved it why the record says so; save the same files again, and `gitreg yank` this version"


class _Share(click.ParamType[float]):
    name = "percent"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)%", str(value))
        if match is None or not 0 < float(match[1]) <= 100:
            self.fail(f"{value!r} is no share of the files: write 5%", param, ctx)
        return float(match[1]) / 100


@click.command(
    "verify",
    cls=Command,
    examples=[
        "gitreg verify",
        "gitreg verify ranker@production --deep",
        "gitreg verify --sample 5%",
    ],
    exit_codes={4: "a stage's policy refused the version in it", 6: "bytes, seals or records are wrong"},
    guides=["troubleshooting", "security"],
)
@click.argument("reference", metavar="[REF]", cls=ReferenceArgument, required=False, shell_complete=complete_reference)
@click.option("--deep", is_flag=True, help="Read every file completely.")
@click.option("--sample", type=_Share(), metavar="PERCENT", help="Read a random share of the files completely: 5%.")
@listing_options(complete_fields(_COLUMNS))
def command(reference: str | None, deep: bool, sample: float | None, output: str) -> None:
    """Check that records, tags and stored files of a version, or of all, are intact.

    Without --deep or --sample it asks only whether every file is there. Reading can be interrupted: run again, it
    goes on where it ended. Files that are read are also scanned (`gitreg scan`); a record whose verdict differs is an
    error. The main store must have every file; a replica may lack files, but those it has must be intact. Each version
    in a stage is also checked against the policy at the time it entered; exit code 4 if that policy refused it.

    The last lines count signatures: a version is "unsigned" if its tag has none, which is no error unless a policy asks
    for one. gitreg signs tags with your key of git once `git config tag.gpgSign true` is set (`user.signingKey`).
    """
    if deep and sample is not None:
        raise InvalidInput(
            "--deep and --sample exclude each other: one reads all files, the other some", hint="give one of the two"
        )

    registry = open_registry()
    bad, rows, good, read, size = [], [], 0, 0, 0
    share = 1.0 if deep else sample or 0.0
    with progress("Verifying", lambda: verbs.stores.size_to_read(registry.session, reference, share)) as bar:
        verification = registry.verify(reference, share=share, progress=bar)
        if verification.before:
            n = verification.before
            note(f"resuming: {n} file{'' if n == 1 else 's'} {'was' if n == 1 else 'were'} verified before")
        for finding in verification:
            if finding.problem is not None:
                bad.append(finding)
            else:
                good, read, size = good + 1, read + finding.read, size + finding.size
            if output != "table":
                rows.append(finding.row())
    judged = verbs.decisions.judge_holders(registry.session, reference)
    refused = [decision for decision in judged if is_refused(decision)]
    signed = registry.signed(reference)
    if output == "table":
        if bad:
            cells = [(each.reference, f"{each.artifact}:{each.path}".strip(":"), each.problem) for each in bad]
            print_table(["version", "file", "problem"], cells)
        so = f"as recorded ({read} read whole)" if read else "there"
        print_line(f"{good} file{'' if good == 1 else 's'}, {size_text(size)}: {so}; {len(bad)} not")
        for words, count in Counter(each.words for each in signed).items():
            print_line(f"{reference}: {words}" if reference else f"{count} {words}")
        for line in filter(None, map(sentence, judged)):
            print_line(line)
    else:
        data = {"files": rows, "gates": [decision.row() for decision in judged]}
        data["signed"] = [each.row() for each in signed]
        emit(data, output, rows=rows, columns=_COLUMNS, name="{reference}")
    if bad:
        more = f", and {len(bad) - 1} more" if len(bad) > 1 else ""
        raise IntegrityError(
            f"{bad[0].reference}: {bad[0].problem}{more}",
            hint=_WRONG_RECORD if bad[0].difference else _WRONG_BYTES,
        )
    if refused:
        first, *others = refused
        more = f", and {len(others)} more" if others else ""
        model = first.reference.rpartition("@")[0]
        raise Refused(
            f"{sentence(first)}{more}",
            hint=f"`gitreg rollback {model} {first.stage}`; or let it meet the policy, and promote it again",
        )
