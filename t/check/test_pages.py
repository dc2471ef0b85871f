"""There is a page for all that an admin meets, it formats without a warning, and what it says of the code is so."""
import os
import re
import shutil
import subprocess

import pytest
import tree

FOLDER = os.path.join(tree.TREE, "man")
PAGES = sorted(name for name in os.listdir(FOLDER) if re.fullmatch(r".+\.[1-8]", name))
MADE = {"main.cf.5": os.path.join(tree.BUILD_ROOT, "release/man/main.cf.5")}  # from the parameter table
EVERYWHERE = ["lib"]  # what all processes have in common


def page(name):
    """The text of a page; one that only names another is that one."""
    text = open(MADE[name], encoding="utf-8").read() if name in MADE else tree.read(f"man/{name}")
    other = re.fullmatch(r"\.so man\d/(\S+)\n", text)
    return page(other.group(1)) if other else text


def plain(text):
    """Without the formatter's marks: names as they are read."""
    return re.sub(r"\\f[BIRP]|\\&", "", text).replace("\\-", "-").replace("\\(ha", "^")


def section(text, title):
    found = re.search(rf'^\.SH "?{title}"?\n(.*?)(?=^\.SH |\Z)', text, re.M | re.S)
    assert found, f"no section {title}"
    return found.group(1)


def bold(text):
    """The words that stand in bold."""
    words = []
    for line in text.splitlines():
        macro, _, rest = line.partition(" ")
        parts = [part.strip('"') for part in re.findall(r'"[^"]*"|\S+', rest)]
        if macro == ".B":
            words += plain(rest).split()
        elif macro in (".BR", ".BI"):
            words += [word for part in parts[::2] for word in plain(part).split()]
        elif macro in (".RB", ".IB"):
            words += [word for part in parts[1::2] for word in plain(part).split()]
        words += [plain(word) for word in re.findall(r"\\fB(.*?)\\f[RIP]", line)]
    return {word.strip(",;:") for word in words}


def items(text):
    """The bold words of the tags of a section's list."""
    return {word for tag in re.findall(r"^\.TP\n(.*)$", text, re.M) for word in bold(tag)}


# What there must be.

def roles():
    return re.findall(r'^    \{ "([\w-]+)", ROOT_', tree.read("master/roles.c"), re.M)


def programs():
    """As CMake installs them: daemons with their workers, and commands."""
    for name, row in tree.PROGRAMS.items():
        yield f"postrider-{name}.8"
        if "WORKER" in row:
            yield f"postrider-{name}-worker.8"
    for name, folder in re.findall(r"^command_program\((\w+) \$\{CMAKE_INSTALL_(\w+)DIR\}", tree.read("ctl/CMakeLists.txt"), re.M):
        yield f"{name}.{8 if folder == 'SBIN' else 1}"


def table_types():
    return re.findall(r'\{ STR_ROW\("(\w+)"\)', tree.read("lib/db/table_type.c"))


def parameters():
    """(field in the code, name in main.cf)"""
    text = tree.read("lib/conf/parameters.def")
    named = re.findall(r'^NAMED\(\w+, (\w+), "(\w+)"', text, re.M)
    return dict([(name, name) for name in re.findall(r"^X\(\w+, (\w+)", text, re.M)] + named)


def test_every_process_of_master_has_a_page():
    assert len(roles()) >= 15
    tree.none(f"man/postrider-{role}.8" for role in roles() if f"postrider-{role}.8" not in PAGES)


def test_every_program_has_a_page():
    wanted = set(programs())
    assert {"postrider.8", "mailq.1", "postrider-qmgr.8", "postrider-imapd-worker.8"} <= wanted
    tree.none(f"man/{name}" for name in sorted(wanted) if name not in PAGES)


def test_every_table_type_is_described():
    text = section(page("postrider-tables.5"), "TYPES")
    assert len(table_types()) >= 8
    assert items(text) == set(table_types())


def test_every_parameter_that_takes_tables_is_in_the_list_of_uses():
    takes = {name for name in parameters().values() if re.search(r"_maps$|_checks$|^alias_database$", name)}
    tree.none(sorted(takes - bold(section(page("postrider-tables.5"), "USES"))))


def test_every_restriction_and_action_of_access_tables_is_described():
    text = page("access.5")
    checks = set(re.findall(r'^ +(?:\{ STR_ROW|TABLE|PLAIN)\("(\w+)"', tree.read("policy/engine/kinds.c"), re.M))
    verbs = re.findall(r'STR_ROW\("(\w+)"\), (ACCESS_\w+)', tree.read("policy/engine/access.c"))
    assert len(checks) >= 22 and len(verbs) >= 14
    tree.none(sorted(checks - items(section(text, "RESTRICTIONS")) - bold(section(text, "RESTRICTIONS"))))
    tree.none(sorted({verb for verb, what in verbs} - bold(section(text, "RESULTS"))))


# What a page says of the code.

OURS = r"(?:postrider[\w.-]*|[\w.]*(?:aliases|checks|canonical|virtual|access|relocated|main\.cf|master\.cf|sendmail|mailq))"


def test_pages_refer_to_pages_that_are_there():
    bad, known = [], {*PAGES, *MADE}
    for name in known:
        text = plain(page(name))
        wanted = set(re.findall(rf"({OURS}) ?\((\d)\)", text)) | set(re.findall(r"^\.BR (\S+) \((\d)\)", section(text, "SEE ALSO"), re.M))
        bad += [f"{name}: {title}.{number}" for title, number in wanted if f"{title}.{number}" not in known]
    tree.none(sorted(bad))


def test_pages_that_an_alias_of_man_names_are_there():
    for name in PAGES:
        other = re.fullmatch(r"\.so man\d/(\S+)\n", tree.read(f"man/{name}"))
        assert other is None or other.group(1) in PAGES or other.group(1) in MADE, name


def daemons():
    return [name for name in tree.PROGRAMS if name != "master"]


def calls(folder, function):
    """The arguments of each call of a function in a folder."""
    for path in tree.files([folder], (".c",)):
        text = tree.read(path)
        for start in re.finditer(rf"\b{function}\(", text):
            depth, at = 1, start.end()
            while depth:
                depth += {"(": 1, ")": -1}.get(text[at], 0)
                at += 1
            yield text[start.end():at - 1]


def second(arguments):
    """The second of them, without those of calls in it."""
    words = re.sub(r'"(?:[^"\\]|\\.)*"', lambda quoted: quoted.group(0).replace(",", ";"), arguments)
    return re.split(r",(?![^()]*\))", words)[1]


def events(folder):
    """Names of the lines that a process may write: the second argument of log_event and the like, or what stands for it."""
    found = set()
    for function in ("log_event", "log_fault", "append_line"):
        for arguments in calls(folder, function):
            found |= set(re.findall(r'"([\w-]+)"', second(arguments)))
    for arguments in calls(folder, "log_outcome"):  # auth/login.c
        found |= set(re.findall(r'"([\w-]+)"', second(arguments)))
    text = "".join(tree.read(path) for path in tree.files([folder], (".c",)))
    for row in re.findall(r"events\[\] = \{(.*?)\}", text, re.S):  # qmgr/finish.c
        found |= set(re.findall(r'"([\w-]+)"', row))
    return found


def test_events_are_found_in_the_code():
    assert {"delivered", "destination-left-alone", "held"} <= events("qmgr")
    assert {"login", "login-failed", "login-refused"} <= events("auth")
    assert {"process-ended", "process-died", "start-timeout"} <= events("master")
    assert "forward-member" in events("local") and "log-lost" in events("lib/base")


@pytest.mark.parametrize("name", tree.PROGRAMS)
def test_a_page_names_the_lines_that_its_process_writes(name):
    said, there = items(section(page(f"postrider-{name}.8"), "LOG")), events(name)
    common = set().union(*(events(folder) for folder in EVERYWHERE))
    assert not sorted(there - said), "not in the page"
    assert not sorted(said - there - common), "not in the code"


def test_the_common_lines_are_told_once():
    """Those of the daemons' and workers' skeletons."""
    said = items(section(page("postrider-master.8"), "LOG"))
    tree.none(sorted((events("lib/daemon") | events("lib/worker") | events("lib/base")) - said
                     - {"session-refused", "session", "session-closed"}))  # of imapd and pop3d


@pytest.mark.parametrize("name", tree.PROGRAMS)
def test_a_page_names_the_parameters_that_its_process_reads(name):
    text = "".join(tree.code(path) for path in tree.files([name], (".c", ".h")))
    reads = {named for field, named in parameters().items() if re.search(rf"(->|\.){field}\b(?!\s*=[^=])", text)}
    said = bold(section(page(f"postrider-{name}.8"), "PARAMETERS"))
    assert not sorted(reads - said), "not in the page"
    assert not sorted(word for word in said - set(parameters().values()) if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", word)), "no parameters"


CAPABILITIES = {"SETUID": "SETUID", "SETGID": "SETGID", "CHROOT": "SYS_CHROOT", "SETPCAP": "SETPCAP", "BIND": "NET_BIND_SERVICE",
                "KILL": "KILL", "READ_SEARCH": "DAC_READ_SEARCH", "CHOWN": "CHOWN"}


def capabilities(text):
    words = set(re.findall(r"CAPS_(\w+)", text)) - {"NONE"}
    if "SPAWNER" in words:
        words |= {"SETUID", "SETGID", "CHROOT"}
    return {CAPABILITIES[word] for word in words - {"SPAWNER"}}


@pytest.mark.parametrize("name", tree.PROGRAMS)
def test_a_page_states_privileges_as_the_contract_does(name):
    text, code = section(page(f"postrider-{name}.8"), "PRIVILEGES"), tree.read(f"{name}/main.c")
    assert set(re.findall(r"\b(%s)\b" % "|".join(CAPABILITIES.values()), text)) == capabilities(code)
    root = re.search(r"\.root = ROOT_(\w+)", code).group(1)
    told = {"HOST": "root directory of the host", "EMPTY": "empty root directory|drop folder", "QUEUE": "the queue's folder",
            "USERS": "the user file's folder"}
    assert re.search(told[root], text.replace("\n", " "))


@pytest.mark.parametrize("name", daemons())
def test_a_page_names_whom_its_process_talks_with(name):
    peers = set(re.search(r'\.peers = "([^"]*)"', tree.read(f"{name}/main.c")).group(1).split())
    links = {(a, b) for a, b in re.findall(r'\{ "([\w-]+)", "([\w-]+)" \}', tree.read("master/roles.c"))}
    linked = {b if a == name else a for a, b in links if name in (a, b)}
    said = items(section(page(f"postrider-{name}.8"), "CONVERSATIONS"))
    assert linked <= peers
    assert said == peers


# The queue file, octet by octet.

SIZES = {"uint64_t": 8, "uint32_t": 4, "uint16_t": 2, "uint8_t": 1, "char": 1}


def layout(struct, header="lib/queue/file.h"):
    """(offset, octets, name) of each member of a struct without gaps."""
    body = re.search(rf"typedef struct {struct} \{{(.*?)\}} {struct};", tree.code(header), re.S).group(1)
    at, rows = 0, []
    for kind, names, count in re.findall(r"(\w+) (\w+(?:, \w+)*)(?:\[(\d+)\])?;", body):
        for name in names.split(", "):
            octets = SIZES[kind] * int(count or 1)
            rows.append((at, octets, name))
            at += octets
    return rows


def table(text):
    """Rows of the first table of a part of a page."""
    rows = re.search(r"^\.TS\n[^\n]*\.\n(.*?)^\.TE", text, re.M | re.S).group(1)
    return [plain(row).split("\t") for row in rows.splitlines()]


def part(title, name="postrider-queue.5"):
    return re.search(rf"^\.SS {title}\n(.*?)(?=^\.S[SH] )", page(name), re.M | re.S).group(1)


@pytest.mark.parametrize("title, struct, base", [("Head", "queue_head", 0), ("Schedule", "queue_schedule", 256),
                                                 ("Slots", "queue_slot", 0), ("End", "queue_end", 0)])
def test_the_queue_files_parts_lie_where_the_page_says(title, struct, base):
    rows = [(int(at) - base, int(octets), what.split(":")[0].split(",")[0]) for at, octets, what in table(part(title))]
    assert rows == layout(struct)


def fields(macro):
    text = re.search(rf"#define {macro}\(X\)(.*?)\nIPC_MESSAGE", tree.read("lib/ipc/talk/envelope.h"), re.S).group(1)
    return [(name, {"text": "text", "u32": "number"}[kind]) for kind, name in re.findall(r"X\((\w+), (\w+)\)", text)]


def test_the_queue_files_records_hold_what_the_page_says():
    envelope, _, rest = part("Records").partition("Flags:")
    assert [(row[0], row[1]) for row in table(envelope)] == fields("ENVELOPE")
    flags = re.findall(r"^    ENVELOPE_\w+ = (\d+)", tree.read("lib/ipc/talk/envelope.h"), re.M)
    assert [row[0] for row in table(rest)] == flags
    assert [(row[0], row[1]) for row in table(rest.partition("A recipient:")[2])] == fields("ENVELOPE_RECIPIENT")


# The index of a Maildir.

def test_the_indexs_rows_are_what_the_page_says():
    rows, _, record = part("Index", "postrider-maildir.5").partition("A record:")
    kinds = re.findall(r"^    KIND_\w+ = '(\w)'", tree.read("lib/store/row.h"), re.M)
    assert len(kinds) >= 9
    assert sorted(row[0] for row in table(rows)) == sorted(kinds)
    named = [(int(at), int(octets), what.split(":")[0]) for at, octets, what in table(record)]
    assert named == layout("record", "lib/store/index.h")


# How they look.

@pytest.mark.parametrize("name", [*PAGES, *MADE])
def test_a_page_formats_without_a_warning(name):
    if name in MADE and not os.path.exists(MADE[name]):
        pytest.fail(f"{MADE[name]} is not built")
    assert shutil.which("groff"), "t/packages lists groff-base"
    done = subprocess.run(["groff", "-t", "-man", "-Tutf8", "-ww", "-z", "-rLL=78n"], input=page(name).encode(),
                          capture_output=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr.decode()


def test_pages_are_ascii_and_begin_with_their_name():
    for name in PAGES:
        title, number = name.rsplit(".", 1)
        text = page(name)
        assert text.isascii(), name
        if not tree.read(f"man/{name}").startswith(".so "):
            assert re.search(rf"^\.TH {re.escape(title.upper())} {number}\b", text, re.M), name


def test_the_readme_names_the_pages():
    text = tree.read("README").partition("Documentation, in man/:")[2]
    said = set(re.findall(r"[\w][\w.-]*\.[1-8]\b", text))
    for front, names, back in re.findall(r"([\w-]*)\{([^}]*)\}(\.[1-8])\b", text):  # postrider-{auth, bounce}.8
        said |= {front + name.strip() + back for name in names.replace("\n", " ").split(",")}
    own = {name for name in PAGES if not tree.read(f"man/{name}").startswith(".so ")}
    assert not sorted((own | set(MADE)) - said), "not in README"
    assert not sorted(name for name in said - set(PAGES) - set(MADE)), "no such pages"
