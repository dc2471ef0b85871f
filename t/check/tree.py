"""The source tree as the checks see it: layers and programs as CMakeLists.txt states them, files, comments, functions."""
import os
import re

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD_ROOT = os.environ.get("POSTRIDER_BUILD_ROOT", os.path.join(TREE, "build"))
SHARED = "policy/engine"  # the decision itself, which the server and the command have in common (DESIGN, rule 3)


def read(path):
    with open(os.path.join(TREE, path), encoding="utf-8") as text:
        return text.read()


def calls(function):
    """Rows of CMakeLists.txt as {name: {keyword: [words]}}: layer(db NEEDS ipc conf LIBRARIES tables)."""
    rows = {}
    text = re.sub(r"#.*", "", read("CMakeLists.txt"))
    for arguments in re.findall(rf"^{function}\(([^)]*)\)", text, re.M):
        name, *words = arguments.split()
        rows[name], keyword = {}, None
        for word in words:
            if word.isupper():
                keyword = word
                rows[name][keyword] = []
            else:
                rows[name][keyword].append(word)
    return rows


LAYERS = calls("layer")
PROGRAMS = calls("program")
FOLDERS = ["lib", *PROGRAMS, "ctl", "man"]


def closure(layers):
    """These layers and all that stand below them."""
    found, left = set(), [name for name in layers if name in LAYERS]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += LAYERS[name].get("NEEDS", [])
    return found


def files(folders=None, endings=(".c", ".h")):
    for folder in folders or FOLDERS:
        for place, _, names in sorted(os.walk(os.path.join(TREE, folder))):
            for name in sorted(names):
                if name.endswith(endings):
                    yield os.path.relpath(os.path.join(place, name), TREE)


TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(match):
    text = match.group(0)
    filler = "".join("\n" if c == "\n" else " " for c in text)
    return text[0] + filler[1:-1] + text[0] if text[0] in "\"'" else filler


def code(path):
    """The text without comments and without what stands between quotes; lines keep their numbers."""
    return TOKEN.sub(blank, read(path))


def lines_with(paths, pattern, text_of=code):
    """Where the pattern is found, as "file:line: text"."""
    found = []
    for path in paths:
        for number, line in enumerate(text_of(path).splitlines(), 1):
            if re.search(pattern, line):
                found.append(f"{path}:{number}: {line.strip()}")
    return found


def none(found):
    """Fails with one line for each that was found."""
    found = list(found)
    assert not found, "\n" + "\n".join(map(str, found))


def functions(path):
    """(name, lines) of each function: its brace opens and closes in the first column."""
    lines, found, start = code(path).splitlines(), [], None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
            while start > 0 and lines[start - 1].strip() and not re.match(r"[}#]|.*;\s*$", lines[start - 1]):
                start -= 1
        elif line.rstrip() == "}" and start is not None:
            head = " ".join(lines[start:number])
            name = re.search(r"(\w+)\s*\((?!\()", re.sub(r"__attribute__\s*\(\(.*?\)\)\)?", "", head))
            found.append((name.group(1) if name else "?", number - start + 1))
            start = None
    return found
