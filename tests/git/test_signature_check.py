"""Whose key made a signature: made and held against real keys by OpenSSH."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gitreg.errors import GitregError, InvalidInput
from gitreg.git import Repository
from gitreg.git.signature_check import signer_of
from tests.git.conftest import ADA, Env, git, make


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, list[str]]:
    """The public keys of two people; the private ones lie in files of their names."""
    out = {}
    for who, kind in (("ada", "ed25519"), ("bob, *", "ecdsa")):
        file = tmp_path / who[:3]
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", f"{who} x", "-f", str(file)], check=True)
        out[who] = [file.with_suffix(".pub").read_text().strip()]
    return out


def sign(tmp_path: Path, who: str, payload: bytes, namespace: str = "gitreg") -> bytes:
    command = ["ssh-keygen", "-Y", "sign", "-n", namespace, "-f", str(tmp_path / who[:3])]
    return subprocess.run(command, input=payload, capture_output=True, check=True).stdout


@pytest.mark.slow
def test_a_signature_is_its_signers_for_its_payload_and_its_purpose(
    tmp_path: Path, env: Env, keys: dict[str, list[str]]
) -> None:
    for who in keys:
        signature = sign(tmp_path, who, b"said\n")
        assert signer_of(b"said\n", signature, namespace="gitreg", keys=keys, env=env) == who
        assert signer_of(b"Said\n", signature, namespace="gitreg", keys=keys, env=env) is None
        assert signer_of(b"said\n", signature, namespace="git", keys=keys, env=env) is None
        others = {name: lines for name, lines in keys.items() if name != who}
        assert signer_of(b"said\n", signature, namespace="gitreg", keys=others, env=env) is None
        assert signer_of(b"said\n", signature, namespace="gitreg", keys={who: []}, env=env) is None
    for nonsense in (b"", b"-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n", b"\xff" * 100):
        assert signer_of(b"said\n", nonsense, namespace="gitreg", keys=keys, env=env) is None


def test_without_ssh_keygen_nothing_is_said_of_a_signature(
    tmp_path: Path, env: Env, keys: dict[str, list[str]]
) -> None:
    signature = sign(tmp_path, "ada", b"said\n")
    with pytest.raises(GitregError, match="ssh-keygen") as caught:
        signer_of(b"said\n", signature, namespace="gitreg", keys=keys, env=env | {"PATH": str(tmp_path)})
    assert caught.value.hint


def test_a_statement_is_signed_with_a_key_that_is_named_or_with_gits_own(
    tmp_path: Path, env: Env, keys: dict[str, list[str]]
) -> None:
    folder = make(tmp_path, env, "normal")
    with Repository.discover(folder, env=env) as repo:
        with pytest.raises(InvalidInput) as caught:
            repo.sign_statement(b"said\n", namespace="gitreg")
        assert "--key" in str(caught.value.hint)
        named = repo.sign_statement(b"said\n", namespace="gitreg", key=str(tmp_path / "ada"))
    git(folder, env, "config", "gpg.format", "ssh")
    git(folder, env, "config", "user.signingKey", str(tmp_path / "bob.pub"))
    with Repository.discover(folder, env=env) as repo:
        own = repo.sign_statement(b"said\n", namespace="gitreg")
        signers = [repo.statement_signer(b"said\n", each, namespace="gitreg", keys=keys) for each in (named, own)]
        assert signers == ["ada", "bob, *"]


def test_a_tag_is_its_signers_whoever_its_tagger_is(
    tmp_path: Path, env: Env, object_format: str, keys: dict[str, list[str]]
) -> None:
    folder = make(tmp_path, env, "normal", object_format)
    with Repository.discover(folder, env=env) as repo:
        commit = repo.build_commit(None, {"a": b"1"}, message="m", author=ADA, committer=ADA)
        assert repo.tag_signer(repo.build_tag("v0", commit, message="m", tagger=ADA), keys) is None
    for key, value in {"gpg.format": "ssh", "user.signingKey": str(tmp_path / "bob"), "tag.gpgSign": "true"}.items():
        git(folder, env, "config", key, value)
    with Repository.discover(folder, env=env) as repo:
        tag = repo.build_tag("v1", commit, message="m", tagger=ADA)
        assert repo.tag_signer(tag, keys) == "bob, *"
        assert repo.tag_signer(tag, {"ada": keys["ada"]}) is None
    git(folder, env, "tag", "-s", "-m", "by git", "v2", commit)
    with Repository.discover(folder, env=env) as repo:
        assert repo.tag_signer(git(folder, env, "rev-parse", "v2"), keys) == "bob, *"
