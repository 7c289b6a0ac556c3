"""Tests of `keras_attention.recording.tensorboard`: pictures that TensorBoard shows."""

import struct

import keras
import numpy as np
import pytest

from keras_attention.recording.callback import EpochPictures
from keras_attention.recording.tensorboard import EventFile, _checksum


def unmask(masked):
    turned = masked - 0xA282EAD8 & 0xFFFFFFFF
    return (turned >> 17 | turned << 15) & 0xFFFFFFFF


def test_the_checksum_is_that_of_the_standard():
    # Examples of RFC 3720, appendix B.4, and the usual check of this kind of sum.
    known = {
        b"123456789": 0xE3069283,
        bytes(32): 0x8A9136AA,
        b"\xff" * 32: 0x62A8AB43,
        bytes(range(32)): 0x46DD794E,
    }
    for data, expected in known.items():
        (masked,) = struct.unpack("<I", _checksum(data))
        assert unmask(masked) == expected


def test_no_file_is_made_before_there_is_a_picture(tmp_path):
    EpochPictures(tmp_path / "pictures", log_dir=tmp_path / "logs")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="TensorFlow reads the file back"
)
def test_tensorflow_reads_what_was_written(tmp_path):
    import tensorflow as tf
    from tensorflow.core.util import event_pb2

    logs = tmp_path / "logs"
    pictures = EpochPictures(tmp_path / "pictures", log_dir=logs)
    for epoch in (1, 200):
        pictures.add(epoch, np.eye(2), ["a", "dog"], ["un", "perro"])
    (path,) = logs.iterdir()
    assert "tfevents" in path.name
    # Checksums are proved by this reader.
    records = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    first, *events = map(event_pb2.Event.FromString, records)
    assert first.file_version == "brain.Event:2"
    assert [event.step for event in events] == [1, 200]
    for event in events:
        (value,) = event.summary.value
        assert value.tag == "attention"
        image = tf.io.decode_png(value.image.encoded_image_string)
        assert image.shape[:2] == (value.image.height, value.image.width)
        assert event.wall_time == pytest.approx(first.wall_time, abs=600)


def test_two_files_of_one_folder_do_not_share_a_name(tmp_path):
    assert EventFile(tmp_path).path != EventFile(tmp_path).path
