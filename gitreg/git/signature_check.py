"""Verification of SSH signatures by given keys, without any configuration or network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gitreg.errors import GitregError

_PROGRAM = "ssh-keygen"


def signer_of(
    payload: bytes, signature: bytes, *, namespace: str, keys: Mapping[str, Sequence[str]], env: Mapping[str, str]
) -> str | None:
    """Return the name of the person whose key signed a payload; None where none of the given keys did.

    ``ssh-keygen -Y find-principals`` and ``-Y verify`` decide it (ssh-keygen(1)), with an allowed signers file made of
    nothing but the keys.

    Parameters
    ----------
    payload:
        The signed bytes.
    signature:
        Armoured, as ``ssh-keygen -Y sign`` writes it.
    namespace:
        The purpose that the signature must be for.
    keys:
        For each person, public keys as lines of ``.pub`` files; text after the key itself is ignored.
    env:
        The user's environment, whose PATH leads to ssh-keygen.

    Raises
    ------
    GitregError
        ssh-keygen cannot be run.
    """
    import subprocess  # these are needed only to verify
    import tempfile
    from pathlib import Path

    people = list(keys)
    allowed = [
        f"person{number} {' '.join(key.split()[:2])}\n" for number, name in enumerate(people) for key in keys[name]
    ]
    with tempfile.TemporaryDirectory(prefix="gitreg-verify-") as folder:
        signers, file = Path(folder, "allowed"), Path(folder, "signature")
        signers.write_text("".join(allowed), encoding="utf-8")
        file.write_bytes(signature)

        def ask(*arguments: str, stdin: bytes) -> bytes | None:
            command = [_PROGRAM, "-Y", *arguments, "-f", str(signers), "-s", str(file)]
            try:
                done = subprocess.run(command, env=dict(env), input=stdin, capture_output=True, check=False)
            except OSError as error:
                raise GitregError(
                    f"{_PROGRAM}, which verifies signatures, cannot be run: {error.strerror}", hint="install OpenSSH"
                ) from error
            return done.stdout if done.returncode == 0 else None

        found = ask("find-principals", stdin=b"")
        for principal in (found or b"").decode(errors="replace").split():
            if ask("verify", "-n", namespace, "-I", principal, stdin=payload) is not None:
                return people[int(principal.removeprefix("person"))]
    return None
