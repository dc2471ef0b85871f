"""Queue files made by a test: copies of one under other ids, with their checksums right (postrider-queue(5))."""
import os
import struct

from queue_file import ID_CHARS, checksum, name_of

BEFORE_ALL = 86400 * 1000000  # ids are microseconds; after a start they begin an hour after those of the run before


def number_of(name):
    n = 0
    for c in name:
        n = n * len(ID_CHARS) + ID_CHARS.index(c)
    return n


def with_id(data, number, arrived_s=None):
    """The same queue file under another id, and with another time of arrival."""
    data = bytearray(data)
    struct.pack_into("<Q", data, 8, number)
    if arrived_s is not None:
        struct.pack_into("<Q", data, 16, int(arrived_s * 1000000))
    struct.pack_into("<I", data, 84, checksum(data[:84]))
    struct.pack_into("<Q", data, len(data) - 24, number)
    struct.pack_into("<I", data, len(data) - 4, checksum(data[-32:-4]))
    return bytes(data)


def path_of(suite, place, name):
    return os.path.join(suite.spool_dir, "queue", place, *(name[-1] if place == "deferred" else ""), name)


def put(suite, place, data, like):
    """Writes a queue file with owner and mode of another. Returns its name."""
    name = name_of(struct.unpack_from("<Q", data, 8)[0])
    path = path_of(suite, place, name)
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, 0o600)
    owner = os.stat(like)
    if os.geteuid() == 0:
        os.chown(path, owner.st_uid, owner.st_gid)
    return name


def multiply(suite, place, path, count, age_s=lambda n: 0):
    """Copies of the file at `path`, each older by age_s(n), with ids before its own, and before all that this suite gave out: the next
    ones are those of files that a cleanup had, and that a stop may leave unfinished. Returns their names."""
    with open(path, "rb") as f:
        data = f.read()
    number, arrived_us = struct.unpack_from("<QQ", data, 8)
    number -= BEFORE_ALL
    return [put(suite, place, with_id(data, number - 1 - n, arrived_us / 1000000 - age_s(n)), path) for n in range(count)]
