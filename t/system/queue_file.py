"""Writes a queue file as man/postrider-queue.5 has it, into the queue of a stopped suite."""
import dataclasses
import os
import struct
import time

CONTENT_START, ID_CHARS = 4096, "0123456789BCDFGHJKLMNPQRSTVWXYZ"


@dataclasses.dataclass
class Recipient:
    address: str
    transport: str = "local"
    nexthop: str = ""
    notify: int = 0
    sender: str = ""


def checksum_row(byte):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82f63b78 if byte & 1 else 0)
    return byte


CHECKSUM_ROWS = [checksum_row(byte) for byte in range(256)]


def checksum(data):
    """CRC-32C."""
    crc = 0xffffffff
    for byte in data:
        crc = crc >> 8 ^ CHECKSUM_ROWS[(crc ^ byte) & 0xff]
    return crc ^ 0xffffffff


def name_of(ident):
    digits = ""
    for _ in range(11):
        ident, digit = divmod(ident, len(ID_CHARS))
        digits = ID_CHARS[digit] + digits
    return digits


def text(value):
    data = value.encode()
    return struct.pack("<I", len(data)) + data


def record(*fields):
    data = b"".join(text(f) if isinstance(f, str) else struct.pack("<I", f) for f in fields)
    return struct.pack("<I", len(data)) + data


def file_bytes(ident, content, sender, recipients):
    records = record(sender, "s", "unknown", "192.0.2.1", "", "ESMTP", "", "", "", "", "", "", 0)
    records += b"".join(record(r.address, r.address, r.transport, r.nexthop, "", r.notify, r.sender) for r in recipients)
    records_at = CONTENT_START + len(content)
    slots_at = records_at + len(records)
    head = struct.pack("<8sQQQQQQQQIII", b"PRQUEUE1", ident, int(time.time() * 1e6), CONTENT_START, len(content), len(content),
                       records_at, len(records), slots_at, len(recipients), checksum(content), 0)
    head += struct.pack("<I", checksum(head))
    whole = head.ljust(CONTENT_START, b"\0") + content + records + bytes(128 * len(recipients))
    end = struct.pack("<8sQQI", b"PRQ-END1", ident, len(whole) + 32, checksum(records))
    return whole + end + struct.pack("<I", checksum(end))


def leave(suite, sender, recipients, content=b"Subject: left\r\n\r\nmark-left\r\n"):
    """An acknowledged message in active/; the next start delivers it. Its id."""
    ident = int(time.time() * 1e6)
    path = os.path.join(suite.spool_dir, "queue", "active", name_of(ident))
    owner = os.stat(os.path.dirname(path))
    with open(path, "wb") as f:
        f.write(file_bytes(ident, content, sender, recipients))
    os.chmod(path, 0o600)
    if os.geteuid() == 0:
        os.chown(path, owner.st_uid, owner.st_gid)
    return name_of(ident)
