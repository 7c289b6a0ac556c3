"""`--device`: which devices TensorFlow may use, and how much of their memory."""

import pytest
import tensorflow as tf

from nmt.app.cli import main
from nmt.app.tensorflow_import import import_tensorflow
from nmt.errors import UserError


@pytest.fixture
def chosen(monkeypatch):
    """Two GPUs that are not there, and what is asked of TensorFlow for them."""
    calls = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a", "b"])
    monkeypatch.setattr(
        tf.config, "set_visible_devices", lambda gpus, kind: calls.append(gpus)
    )
    monkeypatch.setattr(
        tf.config.experimental, "set_memory_growth", lambda gpu, on: calls.append(gpu)
    )
    return calls


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        (None, ["a", "b"]),
        ("gpu", ["a", "b"]),
        ("gpu:0", [["a"], "a"]),
        ("gpu:1", [["b"], "b"]),
        ("cpu", [[]]),
    ],
)
def test_a_device_is_chosen_and_its_memory_is_taken_as_needed(chosen, device, expected):
    import_tensorflow(device)
    assert chosen == expected


def test_a_device_that_is_not_there_is_refused_in_one_line(chosen):
    with pytest.raises(UserError, match="no device gpu:2: TensorFlow sees 2 GPUs here"):
        import_tensorflow("gpu:2")


@pytest.mark.parametrize("device", ["tpu", "gpu:", "gpu:-1", "cpu:0", "", "gpu:1x"])
def test_what_names_no_device_is_refused(device, capsys):
    assert main(["translate", "--model", "m", "--device", device, "a"]) == 2
    assert f"must be cpu, gpu or gpu:N; got {device!r}" in capsys.readouterr().err
