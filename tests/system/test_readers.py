"""What a reader holds who has no clone: by URL, by folder, HTTP and SSH, with and without a git program."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from unicodedata import normalize

import pytest

from tests.servers.buckets import Servers
from tests.servers.gitremotes import Far, make_far, ways
from tests.system.test_sealed import by_artifacts, by_links
from tests.system.world import PROGRAMS, Person, make_person, record_path, write

pytestmark = pytest.mark.slow

by_readers = pytest.mark.parametrize("way", ways("folder", "http"), indirect=True)
by_all_readers = pytest.mark.parametrize("way", ways("folder", "http", "ssh"), indirect=True)


@pytest.fixture
def way(request: pytest.FixtureRequest) -> tuple[str, str]:
    found: tuple[str, str] = request.param
    return found


@pytest.fixture
def far(way: tuple[str, str], tmp_path: Path, ada: Person, servers: Servers) -> Far:
    return make_far(way, tmp_path, ada.env, servers)


@pytest.fixture
def url(far: Far) -> str:
    return far.url if "://" in far.url else f"file://{far.url}"


@pytest.fixture(scope="session")
def registry_with_remote(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a home, a clone, its store, and the bare repository that it was pushed to."""
    where = tmp_path_factory.mktemp("published")
    ada = make_person(where)
    ada.git("init", "-q", "--bare", "-b", "main", where / "far.git")
    ada.git("init", "-q", "-b", "main", where / "clone")
    there = ada.at(where / "clone")
    there.git("remote", "add", "origin", where / "far.git")
    there.gitreg("init", "--remote", "origin", "--store", where / "store")
    for number in range(3):
        write(where / "weights", {"model.bin": f"weights {number + 1}"})
        there.gitreg("save", "iris", where / "weights")
        there.gitreg("promote", f"iris@{number + 1}", "production", "--force")
    return where


@pytest.fixture
def writer(registry_with_remote: Path, far: Far, ada: Person, tmp_path: Path) -> Person:
    """Ada in a clone, in which git is always there; three versions, the last is in production."""
    made_at = registry_with_remote
    for made, here in ((made_at / "home", ada.home), (made_at / "far.git", far.path)):
        shutil.copytree(made, here, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns("hooks"))
    shutil.copytree(made_at / "clone", tmp_path / "clone", symlinks=True)
    there = ada.at(tmp_path / "clone").with_env(**far.env | {"PATH": ada.env["PATH"]})
    there.git("remote", "set-url", "origin", far.url)
    return there


@pytest.fixture
def reader(far: Far, ada: Person, writer: Person, tmp_path: Path) -> Person:
    """Somebody with a cache of their own, and git or none."""
    (tmp_path / "elsewhere").mkdir()
    env = {"GITREG_CACHE": str(tmp_path / "elsewhere" / "cache")}
    return ada.at(tmp_path / "elsewhere").with_env(**far.env | env)


def loaded(reader: Person, url: str, reference: str = "iris@production") -> str:
    return (Path(reader.gitreg("--repo", url, "load", reference).out.strip()) / "model.bin").read_text()


@by_all_readers
def test_a_url_reader_refuses_an_older_branch(reader: Person, far: Far, url: str) -> None:
    assert loaded(reader, url) == "weights 3"
    was = far.refs()["refs/heads/main"]
    far.git("update-ref", "refs/heads/main", "main~2")
    now = far.refs()["refs/heads/main"]
    refused = reader.gitreg("--repo", url, "load", "iris@production", code=4)
    assert f"(main) was rewritten: it was at {was[:12]} and is at {now[:12]}, which does not follow" in refused.err
    assert "pull --accept-rewrite" in refused.err
    moved = reader.gitreg("--repo", url, "pull", "--accept-rewrite", "--json").data
    assert (moved["before"], moved["after"]) == (was, now)
    assert moved["gone"][0]["commit"] == was
    assert moved["stages"] == [{"stage": "iris@production", "before": "3", "after": "2"}]
    assert loaded(reader, url) == "weights 2"


@by_readers
def test_and_an_unrelated_one(reader: Person, far: Far, url: str, ada: Person, tmp_path: Path) -> None:
    assert loaded(reader, url) == "weights 3"
    ada.gitreg("init", tmp_path / "foreign", "--store", tmp_path / "store")
    foreign = ada.at(tmp_path / "foreign")
    write(tmp_path / "weights", {"model.bin": "foreign"})
    foreign.gitreg("save", "iris", tmp_path / "weights", "--stage", "production")
    far.git("fetch", "-q", str(foreign.here), "+main:main")
    refused = reader.gitreg("--repo", url, "load", "iris@production", code=4)
    assert "is another registry than before" in refused.err
    assert "pull --accept-rewrite" in refused.err
    reader.gitreg("--repo", url, "pull", "--accept-rewrite")
    assert loaded(reader, url) == "foreign"


def edited(writer: Person, far: Far, version: int) -> None:
    """Let somebody with plain git edit a sealed record, and the pointer to it, on the remote."""
    path = writer.here / record_path("iris", str(version))
    text = path.read_text()
    write(writer.here, {str(path): text.replace("type: model", "type: data")})
    digest = sha256(path.read_bytes()).hexdigest()
    pointer = writer.here / "models/iris/stages/production.yaml"
    pointer.write_text(re.sub("sha256:[0-9a-f]{64}", f"sha256:{digest}", pointer.read_text()))
    writer.git("commit", "-qam", "edited")
    writer.git("push", "-q", far.url, "HEAD:main")


@by_all_readers
def test_a_fresh_url_reader_refuses_an_edited_record(reader: Person, writer: Person, far: Far, url: str) -> None:
    edited(writer, far, 3)
    for reference in ("iris@production", "iris@3", "iris"):
        assert "iris@3: its tag seals another record" in refused(reader, url, reference) or (
            "the sealed record of iris@3 was edited" in refused(reader, url, reference)
        )
    far.git("update-ref", "-d", "refs/tags/models/iris@3")  # without a tag, the history is fetched and decides
    assert "the sealed record of iris@3 was edited" in refused(reader, url, "iris@production")
    reader.gitreg("--repo", url, "verify", "iris@3", code=6)
    assert loaded(reader, url, "iris@2") == "weights 2"


@by_readers
def test_a_record_that_was_merged_and_not_tagged_yet_is_held_against_its_history(
    reader: Person, far: Far, url: str
) -> None:
    far.git("update-ref", "-d", "refs/tags/models/iris@3")
    assert loaded(reader, url) == "weights 3"


@pytest.mark.parametrize("way", ways("http"), indirect=True)
def test_a_tag_that_names_no_commit_of_this_record_seals_nothing(
    reader: Person, writer: Person, far: Far, url: str
) -> None:
    message = writer.git("tag", "-l", "--format=%(contents)", "models/iris@3")
    for name, target in (("models/iris@3", "main~3"), ("other", "main")):
        writer.git("tag", "-f", "-a", name, target, "-m", message)
        far.git("fetch", "-q", str(writer.here), f"+refs/tags/{name}:refs/tags/models/iris@3")
        assert refused(reader, url, "iris@3").startswith("error: iris@3: its tag ")
    far.git("update-ref", "refs/tags/models/iris@3", "main")
    assert "its tag is not annotated" in refused(reader, url, "iris@3")


def refused(reader: Person, url: str, reference: str) -> str:
    """What a reader with an empty cache hears, who must not get the version."""
    shutil.rmtree(reader.env["GITREG_CACHE"], ignore_errors=True)
    return reader.gitreg("--repo", url, "load", reference, code=6).err


@by_readers
def test_verify_names_unmet_gates_of_holders(reader: Person, writer: Person, far: Far, url: str) -> None:
    settings = writer.here / "gitreg.yaml"
    gates = "policies: {production: {gates: [{metric: accuracy, at_least: 0.9}]}}"
    settings.write_text(f"{settings.read_text()}{gates}\n")
    writer.git("commit", "-qam", "policy")
    record = sha256((writer.here / record_path("iris", "1")).read_bytes()).hexdigest()
    pointer = writer.here / "models/iris/stages/production.yaml"
    text = re.sub("sha256:[0-9a-f]{64}", f"sha256:{record}", pointer.read_text())
    pointer.write_text(re.sub(r"version: .*", 'version: "1"', text))
    writer.git("commit", "-qam", "against the policy")
    writer.git("push", "-q", far.url, "HEAD:main")
    why = "iris@1 holds production, but: metric: iris@1 has no accuracy"
    for person, where in ((writer, []), (reader, ["--repo", url])):
        for reference in ([], ["iris@1"]):
            assert why in person.gitreg(*where, "verify", *reference, code=4).err
        (judged,) = person.run(PROGRAMS / "gitreg", *where, "verify", "--json").data["gates"]
        assert (judged["reference"], judged["stage"], judged["allowed"]) == ("iris@1", "production", False)
        person.gitreg(*where, "verify", "iris@2")
    stage = writer.git("rev-parse", "refs/stages/iris@production")
    assert writer.run(PROGRAMS / "gitreg", "doctor", "--repair").code == 6
    assert writer.git("rev-parse", "refs/stages/iris@production") == stage
    assert far.refs()["refs/stages/iris@production"] == stage
    found = {problem["where"]: problem["what"] for problem in writer.doctor_says()}
    assert found["models/iris/stages/production.yaml"].startswith(why)


@by_readers
def test_a_stripped_or_openpgp_tag_is_told(reader: Person, writer: Person, far: Far, url: str, tmp_path: Path) -> None:
    key = tmp_path / "key"
    writer.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    settings = writer.here / "gitreg.yaml"
    public = " ".join((tmp_path / "key.pub").read_text().split()[:2])
    settings.write_text(f"{settings.read_text()}people: {{ada@example.com: ['{public}']}}\n")
    writer.git("commit", "-qam", "people")
    writer.git("push", "-q", "origin", "main")
    for name, value in (("gpg.format", "ssh"), ("user.signingKey", str(key)), ("tag.gpgSign", "true")):
        writer.git("config", name, value)
    write(tmp_path / "weights", {"model.bin": "signed"})
    writer.gitreg("save", "iris", tmp_path / "weights")

    def said() -> tuple[str, dict[str, str | None]]:
        shutil.rmtree(reader.env["GITREG_CACHE"], ignore_errors=True)
        (row,) = reader.gitreg("--repo", url, "verify", "iris@4", "--json").data["signed"]
        return reader.gitreg("--repo", url, "verify", "iris@4").out, row

    out, row = said()
    assert "iris@4: signed by ada@example.com\n" in out
    assert row == {"reference": "iris@4", "by": "ada@example.com", "kind": "ssh"}
    tag = writer.run("git", "cat-file", "tag", "models/iris@4").out
    payload = tag[: tag.index("-----BEGIN SSH")]
    armoured = "-----BEGIN {0}-----\n\niQ\n-----END {0}-----\n"
    for signature, words, kind in (
        ("", "unsigned", None),
        (armoured.format("PGP SIGNATURE"), "signed by OpenPGP (not asked here)", "openpgp"),
        (armoured.format("SIGNED MESSAGE"), "signed by X.509 (not asked here)", "x509"),
    ):
        far.git("update-ref", "refs/tags/models/iris@4", far.git(
            "hash-object", "-t", "tag", "-w", "--stdin", stdin=payload + signature))  # fmt: skip
        out, row = said()
        assert f"iris@4: {words}\n" in out
        assert (row["by"], row["kind"]) == (None, kind)
    counts = writer.gitreg("verify").out
    assert "3 unsigned\n1 signed by ada@example.com\n" in counts


@by_readers
def test_what_follows_is_loaded_at_once(reader: Person, writer: Person, url: str) -> None:
    assert loaded(reader, url) == "weights 3"
    writer.gitreg("promote", "iris@1", "production", "--force")
    assert loaded(reader, url) == "weights 1"
    assert loaded(reader, url) == "weights 1"


def published(writer: Person, far: Far, files: dict[str, bytes | str]) -> None:
    """Commit files and push them as somebody with plain git does, past a server without hooks."""
    write(writer.here, files)
    writer.git("add", "-A")
    writer.git("commit", "-qm", "by hand")
    writer.git("push", "-q", far.url, "HEAD:main")


@by_readers
@pytest.mark.parametrize("say", [by_artifacts, by_links])
def test_an_annotation_by_plain_git_replaces_nothing(
    reader: Person, writer: Person, far: Far, url: str, say: Callable[[Person], str], tmp_path: Path
) -> None:
    writer.gitreg("artifact", "save", "model", write(tmp_path / "evil", {"model.bin": "evil"}), "--type", "model")
    published(writer, far, {"models/iris/annotations/3.yaml": say(writer)})
    there = reader.with_env(GITREG_REGISTRY=url)
    told = "warning: iris@3: its annotation names the artifact 'model', which was sealed; that is ignored\n"
    for reference in ("iris@production", "iris@3", "iris"):
        ended = there.gitreg("load", reference)
        assert ((Path(ended.out.strip()) / "model.bin").read_text(), ended.err) == ("weights 3", told)
    ended = there.gitreg("cat", "iris@3:model.bin")
    assert (ended.out, ended.err) == ("weights 3", told)
    code = "import fsspec; print(fsspec.open('gitreg://iris@production/model.bin').open().read().decode())"
    ended = there.run(PROGRAMS / "python", "-c", code)
    assert ended.out == "weights 3\n"
    assert "its annotation names the artifact 'model'" in ended.err
    there.gitreg("verify", "iris@3", "--deep")
    problems = there.run(PROGRAMS / "gitreg", "doctor", "--json").data["problems"]
    (problem,) = (row for row in problems if row["where"].startswith("models/"))
    assert problem["where"] == "models/iris/annotations/3.yaml"
    assert "names an artifact that was sealed with iris@3" in problem["what"]


@by_readers
def test_a_model_is_found_by_either_spelling_whoever_wrote_it(
    reader: Person, writer: Person, far: Far, url: str, tmp_path: Path
) -> None:
    writer.gitreg("save", "modèle@été", write(tmp_path / "w", {"model.bin": "summer"}))
    decomposed = partial(normalize, "NFD")
    published(writer, far, {
        "models/mod%C3%A8le/stages/staging.yaml": decomposed("format: 1\nkind: stage\nversion: été\n"),
        "models/fore%CC%82t/model.yaml": decomposed("format: 1\nkind: model\nname: forêt\n"),
    })  # fmt: skip
    there = reader.with_env(GITREG_REGISTRY=url)
    for spell in (str, decomposed):
        for reference in ("modèle@été", "modèle@staging", "modèle"):
            assert loaded(reader, url, spell(reference)) == "summer"
        assert there.gitreg("list", spell("modèle"), spell("version=été"), "--json").data["total"] == 1
        there.gitreg("model", "show", spell("forêt"), code=3)
    problems = there.run(PROGRAMS / "gitreg", "doctor", "--json").data["problems"]
    (problem,) = (row for row in problems if row["where"].startswith("models/"))
    assert problem["where"] == "models/fore%CC%82t/model.yaml"
    assert "not spelled as gitreg spells it" in problem["what"]


@pytest.mark.parametrize("way", ways("http"), indirect=True)
def test_the_codes_commit_is_kept_where_registry_and_code_are_both_on_main(
    reader: Person, writer: Person, url: str, tmp_path: Path
) -> None:
    writer.git("init", "-q", "-b", "main", tmp_path / "code")
    write(tmp_path / "code", {"train.py": "import gitreg\ngitreg.save_artifact({'a': 1}, 'made')\n"})
    code = writer.at(tmp_path / "code")
    code.git("add", "-A")
    code.git("commit", "-qm", "code")
    at = code.git("rev-parse", "HEAD")
    there = reader.at(code.here).with_env(GITREG_REGISTRY=url)
    there.gitreg("save", "wine", write(tmp_path / "w", {"model.bin": "wine"}))
    said = "import gitreg; gitreg.Registry.open().save('wine', '../w', metadata={'a': 1})"
    ended = there.run(PROGRAMS / "python", "-c", said)
    assert ended.code == 0, ended
    there.gitreg("run", "--pipeline", "train", "--name", "one", "--", PROGRAMS / "python", "train.py")
    for number in (1, 2):
        assert there.gitreg("show", f"wine@{number}", "--json").data["source"]["commit"] == at
    assert there.gitreg("runs", "show", "train/one", "--json").data["source"]["commit"] == at
    # In a clone of the registry itself there is no code.
    elsewhere = reader.at(writer.here).with_env(GITREG_REGISTRY=url)
    elsewhere.gitreg("save", "wine", write(tmp_path / "w", {"model.bin": "more"}))
    assert elsewhere.gitreg("show", "wine@3", "--json").data["source"] is None


@by_readers
def test_who_judges_or_compares_an_edited_record_is_refused_as_who_loads_it(
    reader: Person, writer: Person, far: Far, url: str
) -> None:
    edited(writer, far, 3)
    for command in (
        ("why", "iris@3", "production"),
        ("why", "iris@3", "--alias", "best"),
        ("diff", "iris@2", "iris@3"),
        ("diff", "iris@3", "iris@2"),
        ("lineage", "iris@3"),
    ):
        shutil.rmtree(reader.env["GITREG_CACHE"], ignore_errors=True)
        assert "iris@3" in reader.gitreg("--repo", url, *command, code=6).err


@pytest.mark.parametrize("way", ways("folder")[:1], indirect=True)
def test_a_shallow_clone_judges_no_edited_record(writer: Person, far: Far, tmp_path: Path) -> None:
    edited(writer, far, 3)
    writer.git("clone", "-q", "--depth", "1", f"file://{far.url}", tmp_path / "shallow")
    shallow = writer.at(tmp_path / "shallow")
    for command in (("why", "iris@3", "production"), ("diff", "iris@2", "iris@3"), ("lineage", "iris@3")):
        assert "iris@3" in shallow.gitreg(*command, code=6).err


@by_readers
@pytest.mark.parametrize("field", ["branch", "id", "prefix"])
def test_a_fixed_field_that_was_changed_is_told_at_first_contact(
    reader: Person, writer: Person, far: Far, url: str, field: str
) -> None:
    settings = writer.here / "gitreg.yaml"
    other = {"branch": "other", "id": "f" * 32, "prefix": "others"}[field]
    settings.write_text(re.sub(f"^{field}: .*$", f"{field}: {other}", settings.read_text(), flags=re.MULTILINE))
    writer.git("commit", "-qam", f"another {field}")
    writer.git("push", "-q", far.url, "HEAD:main")
    refused = reader.gitreg("--repo", url, "load", "iris@1", code=4)
    assert f"gitreg.yaml changed its {field} from " in refused.err
    assert "git revert" in refused.err
    assert reader.gitreg("--repo", url, "log").out


@pytest.mark.parametrize("way", ways("folder")[:1], indirect=True)
def test_a_shallow_clone_reads_nothing_by_a_changed_id(writer: Person, far: Far, tmp_path: Path) -> None:
    settings = writer.here / "gitreg.yaml"
    settings.write_text(re.sub("^id: .*$", f"id: {'f' * 32}", settings.read_text(), flags=re.MULTILINE))
    writer.git("commit", "-qam", "another id")
    writer.git("push", "-q", far.url, "HEAD:main")
    writer.git("clone", "-q", "--depth", "1", f"file://{far.url}", tmp_path / "shallow")
    refused = writer.at(tmp_path / "shallow").gitreg("load", "iris@1", code=4)
    assert "gitreg.yaml changed its id from " in refused.err


@by_readers
def test_the_record_of_an_artifact_that_was_edited_is_believed_by_nobody(
    reader: Person, writer: Person, far: Far, url: str, tmp_path: Path
) -> None:
    for name in ("data", "evil"):
        writer.gitreg("artifact", "save", name, write(tmp_path / name, {"a.csv": name}))
    assert (Path(reader.gitreg("--repo", url, "artifact", "load", "data").out.strip()) / "a.csv").read_text() == "data"
    shutil.rmtree(reader.env["GITREG_CACHE"])
    said = (writer.here / "artifacts/evil/1.yaml").read_text().replace("artifact: evil", "artifact: data")
    published(writer, far, {"artifacts/data/1.yaml": said})
    told = "the sealed record of data@1 was edited"
    for command in (("artifact", "load", "data@1"), ("artifact", "show", "data"), ("verify", "data@1")):
        assert told in reader.gitreg("--repo", url, *command, code=6).err
        assert told in writer.gitreg(*command, code=6).err
    assert told in writer.gitreg("artifact", "link", "data@1", "iris@1", code=6).err
    assert reader.gitreg("--repo", url, "artifact", "load", "evil").out
