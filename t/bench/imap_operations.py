"""Single IMAP operations on one large mailbox, each timed on its own; what a server does not offer is left out."""
import re
import time

import imap_client

BOX, OTHER = "INBOX", "opsbox"
NEW = (b"From: a@example.org\r\nTo: b@example.org\r\nSubject: append\r\nDate: Mon, 01 Jan 2024 00:00:00 +0000\r\n\r\n" +
       b"text line of the message body\r\n" * 100)
LINE_MAX = 7000

# name, command, what the server must offer. In this order: what is asked a second time is warm.
READS = (
    ("FETCH FLAGS", "FETCH 1:* (FLAGS UID)", None),
    ("FETCH RFC822.SIZE cold", "FETCH 1:* (UID RFC822.SIZE INTERNALDATE)", None),
    ("FETCH RFC822.SIZE", "FETCH 1:* (UID RFC822.SIZE INTERNALDATE)", None),
    ("FETCH ENVELOPE cold", "FETCH 1:* (ENVELOPE)", None),
    ("FETCH ENVELOPE", "FETCH 1:* (ENVELOPE)", None),
    ("FETCH BODYSTRUCTURE cold", "FETCH 1:* (BODYSTRUCTURE)", None),
    ("FETCH BODYSTRUCTURE", "FETCH 1:* (BODYSTRUCTURE)", None),
    ("FETCH header fields", "FETCH 1:* (BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE MESSAGE-ID REFERENCES)])", None),
    ("FETCH 1,000 whole", "FETCH 1:1000 (BODY.PEEK[])", None),
    ("SEARCH UNSEEN", "SEARCH UNSEEN", None),
    ("SEARCH SUBJECT", "SEARCH HEADER SUBJECT Quartalsbericht", None),
    ("SEARCH BODY", "SEARCH BODY zyzzyva", None),
    ("SEARCH TEXT", "SEARCH TEXT zyzzyva", None),
    ("SORT DATE cold", "SORT (DATE) UTF-8 ALL", "SORT"),
    ("SORT DATE", "SORT (DATE) UTF-8 ALL", "SORT"),
    ("THREAD REFERENCES cold", "THREAD REFERENCES UTF-8 ALL", "THREAD=REFERENCES"),
    ("THREAD REFERENCES", "THREAD REFERENCES UTF-8 ALL", "THREAD=REFERENCES"),
)
WRITES = (
    ("STORE 1:* +FLAGS", "STORE 1:* +FLAGS (\\Seen)", None),
    ("COPY 1,000", f"COPY 1:1000 {OTHER}", None),
)
SINGLES = ("SELECT cold", "SELECT warm", *(name for name, *_ in READS + WRITES), "STORE one, 200 times",
           "FETCH one whole, 500 times", "NOOP, 1,000 times", "APPEND 3 KiB, 200 times", "EXPUNGE half")


def repeated(times, function):
    started = time.perf_counter()
    for n in range(times):
        function(n)
    return time.perf_counter() - started


def odd_sequences(exists):
    """Every second number, in sets that fit a command line."""
    sets, line = [], ""
    for n in range(1, exists + 1, 2):
        line += f",{n}" if line else str(n)
        if len(line) > LINE_MAX:
            sets.append(line)
            line = ""
    return sets + [line] if line else sets


def rows(client, offered, table, took):
    for name, command, needs in table:
        if needs is None or needs in offered:
            took[name] = client.command(command)[0]


def one_by_one(client, exists, took):
    step = max(exists // 1500, 1)
    took["STORE one, 200 times"] = repeated(
        200, lambda n: client.command(f"STORE {n * step + 1} +FLAGS.SILENT (\\Flagged)"))
    took["FETCH one whole, 500 times"] = repeated(
        500, lambda n: client.command(f"FETCH {n * step + 1} (UID FLAGS BODY.PEEK[])"))
    took["NOOP, 1,000 times"] = repeated(1000, lambda _: client.command("NOOP"))
    took["APPEND 3 KiB, 200 times"] = repeated(200, lambda _: client.append(OTHER, NEW))


def run(port, user):
    """{operation: milliseconds} on the INBOX of a user that nobody has opened yet."""
    took = {}
    client = imap_client.Imap(port, user)
    offered = client.command("CAPABILITY")[1].decode().upper().split()
    client.command(f"CREATE {OTHER}")
    took["SELECT cold"], said = client.command(f"SELECT {BOX}")
    exists = int(re.search(rb"\* (\d+) EXISTS", said).group(1))
    client.close()
    client = imap_client.Imap(port, user)
    took["SELECT warm"] = client.command(f"SELECT {BOX}")[0]
    rows(client, offered, READS + WRITES, took)
    one_by_one(client, exists, took)
    for numbers in odd_sequences(exists):
        client.command(f"STORE {numbers} +FLAGS.SILENT (\\Deleted)")
    took["EXPUNGE half"] = client.command("EXPUNGE")[0]
    client.close()
    return {name: seconds * 1000 for name, seconds in took.items()}
