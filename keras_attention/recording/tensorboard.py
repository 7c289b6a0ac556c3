"""Pictures for TensorBoard, written without TensorFlow and without TensorBoard.

An event file is a sequence of records: a length, its checksum, a protocol buffer, its
checksum. The few fields that a picture needs are spelled out here, so that training on
any backend can write them.

References:
    Records: [TFRecord](https://www.tensorflow.org/tutorials/load_data/tfrecord),
    "TFRecords format details". Fields: `event.proto` and `summary.proto` of TensorFlow.
    Checksum: [RFC 3720](https://www.rfc-editor.org/rfc/rfc3720), appendix B.4.
"""

import os
import struct
import time
from pathlib import Path

VARINT, DOUBLE, BYTES = 0, 1, 2  # wire types
RGBA = 4


class EventFile:
    """A file that TensorBoard shows pictures from.

    The file is made with the first picture.

    Args:
        folder: Log folder.
    """

    def __init__(self, folder):
        name = f"events.out.tfevents.{time.time_ns()}.{os.getpid()}.attention"
        self.path = Path(folder) / name

    def add_image(self, name: str, png: bytes, step: int):
        """Append a picture.

        Args:
            name: What TensorBoard calls it; pictures of one name are steps of one.
            png: Content of a PNG file.
            step: Int. The step it belongs to.
        """
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._append(_field(3, BYTES, b"brain.Event:2"))
        width, height = struct.unpack(">II", png[16:24])
        image = (
            _field(1, VARINT, height)
            + _field(2, VARINT, width)
            + _field(3, VARINT, RGBA)
            + _field(4, BYTES, png)
        )
        value = _field(1, BYTES, name.encode()) + _field(4, BYTES, image)
        self._append(
            _field(2, VARINT, step) + _field(5, BYTES, _field(1, BYTES, value))
        )

    def _append(self, fields):
        event = _field(1, DOUBLE, time.time()) + fields
        length = struct.pack("<Q", len(event))
        with open(self.path, "ab") as file:
            file.write(length + _checksum(length) + event + _checksum(event))


def _field(number, kind, value):
    tag = bytes([number << 3 | kind])
    if kind == DOUBLE:
        return tag + struct.pack("<d", value)
    if kind == VARINT:
        return tag + _varint(value)
    return tag + _varint(len(value)) + value


def _varint(value):
    groups = bytearray()
    while value > 127:
        groups.append(value & 127 | 128)
        value >>= 7
    return bytes([*groups, value])


def _crc_table():
    table = []
    for number in range(256):
        for _ in range(8):
            # Castagnoli's polynomial, bits reversed.
            number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)
        table.append(number)
    return table


TABLE = _crc_table()


def _checksum(data):
    """CRC-32C, turned and shifted as in records."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    turned = (crc >> 15 | crc << 17) + 0xA282EAD8
    return struct.pack("<I", turned & 0xFFFFFFFF)
