# SPDX-License-Identifier: MIT
"""models/export.py: a state_dict becomes a folder. Needs PyTorch, which nothing else here does."""

import json
import pathlib
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "lte-1x128"


def state_of_the_model():
    sys.path.insert(0, str(ROOT / "models"))
    import network
    return network.read_safetensors((MODEL / "weights.safetensors").read_bytes())


def export(tmp_path, state, description=None):
    torch.save(state, tmp_path / "state.pt")
    if description is None:
        description = json.loads((MODEL / "model.json").read_text())
        for field in ("run_id", "weights", "layers", "hidden"):
            del description[field]
    (tmp_path / "model.json").write_text(json.dumps(description))
    return subprocess.run([sys.executable, "-B", ROOT / "models" / "export.py",
                           tmp_path / "state.pt", tmp_path / "model.json", tmp_path / "out"],
                          capture_output=True, text=True, timeout=120)


def test_a_state_of_any_names_becomes_the_same_folder(tmp_path):
    state = {name.replace("lstm.", "net.rnn.").replace("fc.", "net.out."): tensor
             for name, tensor in state_of_the_model().items()}
    done = export(tmp_path, state)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out" / "model.json").read_text()) == json.loads(
        (MODEL / "model.json").read_text())
    assert (tmp_path / "out" / "weights.safetensors").read_bytes() == (
        MODEL / "weights.safetensors").read_bytes()


@pytest.mark.parametrize("change, text", [
    (lambda s: s.update({"lstm.weight_ih_l0_reverse": torch.zeros(1)}), "bidirectional"),
    (lambda s: s.update({"other.weight": torch.zeros(1)}), "2 layers beside the LSTM"),
    (lambda s: s.pop("fc.bias"), "fc.bias: missing"),
    (lambda s: s.update({"fc.scale": torch.zeros(1)}), "weight and bias only"),
    (lambda s: s.update({"fc.weight": torch.zeros(4, 128)}), "do not fit: "),
    (lambda s: s.update({"lstm.weight_hh_l0": torch.zeros(384, 128)}), "do not fit: "),
    (lambda s: s["fc.bias"].fill_(float("nan")), "fc.bias: has values that are not finite"),
    (lambda s: s.update({"epoch": 3}), "must be a state_dict(), tensors by name"),
    (lambda s: s.update({"network": torch.nn.Linear(1, 1)}), "not a saved state_dict()"),
])
def test_other_networks_are_refused(tmp_path, change, text):
    state = state_of_the_model()
    change(state)
    done = export(tmp_path, state)
    assert done.returncode == 1
    assert text in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("description, text", [
    ({"features": [], "targets": []}, "window: missing"),
    ([], "window: missing"),
    ({"window": 10, "features": ["down"], "targets": []}, "features: must be a list of objects"),
])
def test_a_wrong_description_is_refused(tmp_path, description, text):
    done = export(tmp_path, state_of_the_model(), description)
    assert (done.returncode, text in done.stderr) == (1, True), done.stderr
