"""Signing of commits and tags, as the user's Git is configured (git-config(1): commit.gpgSign, tag.gpgSign, gpg.*).

Any configuration may decide whether to sign, by which key and in which format. Only the user's own may name the
*program* that signs, since a program named by a repository would be run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitreg.errors import GitregError, InvalidInput
from gitreg.git.config import Config
from gitreg.git.values import Identity

_PROGRAMS = {"openpgp": "gpg", "x509": "gpgsm", "ssh": "ssh-keygen"}


@dataclass(frozen=True)
class Signer:
    """The maker of signatures, as configured.

    Parameters
    ----------
    env:
        The environment in which the signing program runs.
    object_format:
        ``sha1`` or ``sha256``: the header of a commit's signature depends on it.
    """

    config: Config
    env: Mapping[str, str]
    object_format: str

    @property
    def signs_commits(self) -> bool:
        """Return whether commits are to be signed."""
        return self.config.is_true("commit.gpgsign")

    @property
    def signs_tags(self) -> bool:
        """Return whether annotated tags are to be signed."""
        return self.config.is_true("tag.gpgsign") or self.config.is_true("tag.forcesignannotated")

    @property
    def commit_header(self) -> str:
        """The name of the header in a commit for its signature."""
        return "gpgsig-sha256" if self.object_format == "sha256" else "gpgsig"

    def sign(self, payload: bytes, who: Identity) -> bytes:
        """Return an armoured, detached signature of the payload.

        Parameters
        ----------
        payload:
            The bytes to sign.
        who:
            The signer, who names the OpenPGP key where no user.signingKey is configured.

        Raises
        ------
        InvalidInput
            The format is unknown, or no SSH key is configured.
        GitregError
            The program is missing, or did not sign.
        """
        method = (self.config.get("gpg.format") or "openpgp").lower()
        if method not in _PROGRAMS:
            raise InvalidInput(f"gpg.format is {method!r}", hint=f"set it to one of {', '.join(_PROGRAMS)}")
        program = self.config.get(f"gpg.{method}.program", from_user_only=True)
        if method == "openpgp":
            program = program or self.config.get("gpg.program", from_user_only=True)
        program = program or _PROGRAMS[method]
        key = self.config.get("user.signingkey")
        if method == "ssh":
            signature = self._by_ssh(program, key, payload, "git")
        else:
            signature = self._by_gpg(program, key, payload, who)
        return signature.replace(b"\r\n", b"\n")

    def sign_statement(self, payload: bytes, *, namespace: str, key: str | None = None) -> bytes:
        """Return an armoured SSH signature of bytes that are not a Git object (PROTOCOL.sshsig of OpenSSH).

        Parameters
        ----------
        payload:
            The bytes to sign.
        namespace:
            The purpose of the signature: one for another purpose does not verify.
        key:
            The file of the private or public key; None for Git's own, where Git signs with SSH.

        Raises
        ------
        InvalidInput
            No SSH key is configured or given.
        GitregError
            ssh-keygen is missing, or did not sign.
        """
        if key is None and (self.config.get("gpg.format") or "").lower() != "ssh":
            raise InvalidInput(
                "no SSH key to sign with is known",
                hint="give --key ~/.ssh/id_ed25519, or set gpg.format to ssh and user.signingKey with `git config`",
            )
        program = self.config.get("gpg.ssh.program", from_user_only=True) or _PROGRAMS["ssh"]
        signature = self._by_ssh(program, key or self.config.get("user.signingkey"), payload, namespace)
        return signature.replace(b"\r\n", b"\n")

    def _by_gpg(self, program: str, key: str | None, payload: bytes, who: Identity) -> bytes:
        signature, status = self._run([program, "--status-fd=2", "-bsau", key or str(who)], payload)
        if b"[GNUPG:] SIG_CREATED " not in b"\n" + status:
            raise _failed(program, status)
        return signature

    def _by_ssh(self, program: str, key: str | None, payload: bytes, namespace: str) -> bytes:
        import tempfile  # needed only to sign

        if not key:
            raise InvalidInput(
                "gpg.format is ssh but no key is named",
                hint="run `git config --global user.signingKey ~/.ssh/id_ed25519.pub`",
            )
        literal = key.removeprefix("key::") if key.startswith(("key::", "ssh-")) else None
        with tempfile.TemporaryDirectory(prefix="gitreg-sign-") as folder:
            message = Path(folder, "message")
            message.write_bytes(payload)
            if literal is None:
                key_file = self._expand(key)
            else:
                key_file = Path(folder, "key.pub")
                key_file.write_text(literal + "\n", encoding="utf-8")
            agent = ["-U"] if literal is not None else []  # only the public key is known: the agent has the private one
            command = [program, "-Y", "sign", "-n", namespace, "-f", str(key_file), *agent, str(message)]
            _, output = self._run(command, b"")
            try:
                return Path(folder, "message.sig").read_bytes()
            except FileNotFoundError as error:
                raise _failed(program, output) from error

    def _expand(self, path: str) -> Path:
        home = self.env.get("HOME", "")
        return Path(home + path[1:] if path.startswith("~/") and home else path)

    def _run(self, command: Sequence[str], stdin: bytes) -> tuple[bytes, bytes]:
        import subprocess  # slow to import: slower than reading a ref

        program = self._expand(command[0])
        env = dict(self.env) | {"LC_ALL": "C"}
        try:
            result = subprocess.run(
                [os.fspath(program), *command[1:]], env=env, input=stdin, capture_output=True, check=False
            )
        except OSError as error:
            raise GitregError(
                f"a signature is wanted, but {command[0]} cannot be run: {error.strerror}",
                hint="install it; or, for Git's own, set commit.gpgSign and tag.gpgSign to false",
            ) from error
        if result.returncode:
            raise _failed(command[0], result.stderr)
        return result.stdout, result.stderr


def _failed(program: str, output: bytes) -> GitregError:
    if found := re.search(r"Permissions \S+ for '(.*)' are too open", output.decode(errors="replace")):
        return GitregError(
            f"{program} did not sign: others on this machine may read the key {found[1]}",
            hint=f"`chmod 600 '{found[1]}'`; a key that others have read is better replaced",
        )
    words = " ".join(line for line in output.decode(errors="replace").splitlines() if not line.startswith("[GNUPG:]"))
    return GitregError(
        f"{program} did not sign: {words.strip() or 'no reason given'}",
        hint="try `git commit -S --allow-empty`; or, for Git's own, set commit.gpgSign and tag.gpgSign to false",
    )
