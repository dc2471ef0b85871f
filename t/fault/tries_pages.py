"""The pages that t/fault/tries/tries.h describes: what the attempts of a process need to know, and what came of them."""
import mmap
import os
import struct

NOT_TRIED, BEGUN, REFUSED, DOES_NOT_APPLY, KILLED, SUCCEEDED = range(6)
HEAD, TEXT, ROWS, ROW = "<IiIIIiII", 256, 160, "<56sii"
TEXTS = ("queue", "others_mail", "key", "users", "socket")
BYTES = struct.calcsize(HEAD) + len(TEXTS) * TEXT + ROWS * struct.calcsize(ROW)


class Page:
    def __init__(self, path, uid=0):
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(fd, BYTES)
        os.fchown(fd, uid, uid)
        self.path, self.map = path, mmap.mmap(fd, BYTES)
        os.close(fd)

    def head(self):
        return struct.unpack_from(HEAD, self.map)

    def tell(self, sibling, sibling_uid, **texts):
        """What the attempts are aimed at."""
        struct.pack_into("<iI", self.map, 20, sibling, sibling_uid)
        for i, name in enumerate(TEXTS):
            struct.pack_into(f"<{TEXT}s", self.map, struct.calcsize(HEAD) + i * TEXT, texts[name].encode())

    def go(self):
        struct.pack_into("<I", self.map, 0, 1)

    def is_done(self):
        return self.head()[3] == 1

    def rows(self):
        """{attempt: (outcome, errno)}"""
        start, size = struct.calcsize(HEAD) + len(TEXTS) * TEXT, struct.calcsize(ROW)
        found = [struct.unpack_from(ROW, self.map, start + i * size) for i in range(self.head()[4])]
        return {name.rstrip(b"\0").decode(): (outcome, error) for name, outcome, error in found}

    def succeeded(self):
        return [name for name, (outcome, _) in self.rows().items() if outcome == SUCCEEDED]

    def made(self):
        """Attempts that were really made and refused, by an error or by death."""
        return [name for name, (outcome, _) in self.rows().items() if outcome in (REFUSED, KILLED)]

    def killed(self):
        return {name for name, (outcome, _) in self.rows().items() if outcome == KILLED}
