"""Varied mail, always the same for the same number: plain text, alternatives, attachments, messages in messages, inline pictures,
raw 8-bit text, replies; a rare word in every 97th body and another in every 31st subject."""
import base64
import email.utils
import os
import quopri
import random
from email.header import Header

WORDS = ("the of and to in mail server message list header folder index value time system network project release meeting "
         "question answer patch report number config option client thread please thanks regards update schedule customer "
         "invoice order delivery account support morning version change review commit branch test result failure success "
         "storage disk memory queue process signal socket buffer pointer string length offset record").split()
NAMES = ("Alice Example", "Bob Tester", "Jörg Müller", "Ana María Núñez", "山田太郎", "Иван Петров", "Dr. Smith, John")
DOMAINS = ("example.com", "example.org", "example.net", "mail.example", "lists.example.org")
FIRST_TIME, TEMPLATES = 1600000000, 400
BODY_WORD, SUBJECT_WORD = "zyzzyva", "Quartalsbericht"


def prose(r, low, high):
    target, out, size = r.randint(low, high), [], 0
    while size < target:
        line = " ".join(r.choice(WORDS) for _ in range(11)) + ("\n" if r.random() < 0.8 else ".\n\n")
        out.append(line)
        size += len(line)
    return "".join(out)


def encoded(r, low, high):
    return base64.encodebytes(r.randbytes(r.randint(low, high))).decode("ascii")


def address(r):
    name, mailbox = r.choice(NAMES), f"user{r.randint(1, 400)}@{r.choice(DOMAINS)}"
    if not name.isascii():
        name = Header(name, "utf-8").encode()
    return f'"{name}" <{mailbox}>' if "," in name else f"{name} <{mailbox}>"


def part(kind, text, encoding="7bit", more=""):
    return f"Content-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n{more}\n{text}"


def multipart(kind, boundary, parts):
    body = "".join(f"--{boundary}\n{p}\n" for p in parts) + f"--{boundary}--\n"
    return f'Content-Type: multipart/{kind};\n\tboundary="{boundary}"', body


def plain(r, rare, _):
    return "Content-Type: text/plain; charset=us-ascii", prose(r, 800, 4000) + rare


def alternative(r, rare, boundary):
    text = prose(r, 700, 2500) + rare
    html = "<html><body><p>" + text.replace("\n\n", "</p>\n<p>") + "</body></html>\n"
    return multipart("alternative", boundary, [
        part("text/plain; charset=utf-8", quopri.encodestring(f"Grüße\n{text}".encode()).decode(), "quoted-printable"),
        part("text/html; charset=utf-8", quopri.encodestring(html.encode()).decode(), "quoted-printable")])


def attachment(r, rare, boundary):
    return multipart("mixed", boundary, [
        part("text/plain; charset=utf-8", f"{prose(r, 300, 1500)}\nVielen Dank für alles\n{rare}", "8bit"),
        part('application/pdf; name="report.pdf"', encoded(r, 4096, 49152), "base64",
             'Content-Disposition: attachment; filename="report.pdf"\n')])


def forwarded(r, rare, boundary):
    inner = (f"From: {address(r)}\nTo: {address(r)}\nSubject: inner\nMIME-Version: 1.0\n"
             f"Content-Type: text/plain\n\n{prose(r, 400, 1500)}")
    return multipart("mixed", boundary, [part("text/plain", f"forwarded\n{rare}"),
                                         f"Content-Type: message/rfc822\n\n{inner}"])


def related(r, rare, boundary):
    kind, body = alternative(r, rare, boundary + "i")
    return multipart("related", boundary, [f"{kind}\n\n{body}", part(
        "image/png", encoded(r, 2000, 9000), "base64", "Content-ID: <i@x>\nContent-Disposition: inline\n")])


def eight_bit(r, rare, _):
    return ("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit",
            f"Überschrift\n\n{prose(r, 600, 2500)}{rare}früh übt sich\n")


MIX = ((45, plain), (72, alternative), (87, attachment), (92, forwarded), (96, related), (100, eight_bit))
made = {}


def content(number):
    """Bodies repeat after TEMPLATES messages, as making them takes the time."""
    key = number % TEMPLATES
    if key not in made:
        r = random.Random(key + 1)
        kind = r.randint(0, 99)
        make = next(f for limit, f in MIX if kind < limit)
        rare = f"the word {BODY_WORD} appears here\n" if key % 97 == 0 else ""
        made[key] = make(r, rare, f"=_b{r.getrandbits(32):08x}")
    return made[key]


def subject(r, number):
    text = " ".join(r.choice(WORDS) for _ in range(r.randint(2, 7)))
    if number % 5 == 1:
        text = Header(f"Größe und Maß: {text}", "utf-8", maxlinelen=70).encode()
    return f"{text} {SUBJECT_WORD}" if number % 31 == 0 else text


def message(number):
    """Message `number` as bytes with LF line ends, as Maildirs on disk have them."""
    r = random.Random(number * 7919)
    sent = FIRST_TIME + number * 613
    lines = [f"Return-Path: <bounce-{number}@{r.choice(DOMAINS)}>",
             f"Received: from mx.example.net (mx.example.net [192.0.2.{number % 254 + 1}])\n\tby mail.example.org with ESMTPS "
             f"id {r.getrandbits(32):08X}\n\tfor <user@example.org>; {email.utils.formatdate(sent)}",
             f"Date: {email.utils.formatdate(sent)}", f"From: {address(r)}",
             "To: " + ",\n\t".join(address(r) for _ in range(r.choice((1, 1, 1, 2, 4))))]
    if number % 3 == 2 and number > 10:
        lines += [f"In-Reply-To: <{number - r.randint(1, 10)}@msg.example.org>",
                  f"References: <{max(number - 12, 0)}@msg.example.org>\n\t<{number - 1}@msg.example.org>"]
    head, body = content(number)
    lines += [f"Subject: {subject(r, number)}", f"Message-ID: <{number}@msg.example.org>", "MIME-Version: 1.0", head]
    return ("\n".join(lines) + "\n\n" + body).encode()


def fill(maildir, count, owner, first=0):
    """Puts messages into cur/ of a Maildir that exists; half of them are seen."""
    for number in range(first, first + count):
        sent = FIRST_TIME + number * 613
        path = f"{maildir}/cur/{sent}.M{number}P1Q{number}.host:2,{'S' if number % 2 else ''}"
        with open(path, "wb") as f:
            f.write(message(number))
        os.chmod(path, 0o600)
        os.chown(path, owner, owner)
        os.utime(path, (sent, sent))


def share(source, target):
    """The same messages in another Maildir without more disk: message files never change."""
    for entry in os.scandir(f"{source}/cur"):
        os.link(entry.path, f"{target}/cur/{entry.name}")
