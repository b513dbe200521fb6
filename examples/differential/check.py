"""Reads files with PyYAML, names the places that may be edited, and judges edits that promote made: the trees, and
the bytes by PyYAML's own positions. It shares no code with promote and never edits.

One JSON object a line comes in, one goes out: a text answers whether it can be read, an edit of it with what is wrong.
"""

import json
import re
import sys

import yaml

# PyYAML has a parser of its own, and libyaml: faster, and at ease with tabs before comments.
OWN = 1500

UNREADABLE = (yaml.YAMLError, ValueError, RecursionError)
ENDING = re.compile(r"\r\n|\n|\r")
ALIAS = re.compile(r"\*[^\s,\]}]+")


class Wrong(Exception):
    pass


def read(text):
    """The documents of a text, and the parser that could read it."""
    if len(text) <= OWN:
        try:
            return read_by(yaml.SafeLoader, text), yaml.SafeLoader
        except UNREADABLE:
            pass
    return read_by(yaml.CSafeLoader, text), yaml.CSafeLoader


def read_by(loader, text):
    return list(yaml.compose_all(text.removeprefix("\ufeff"), Loader=loader))


def left_out(node):
    return isinstance(node, yaml.ScalarNode) and not node.value and node.style is None


def is_named(key, name):
    return isinstance(key, yaml.ScalarNode) and key.value == name and not left_out(key)


class Comparison:
    """Two files that must be equal but for what was asked."""

    def __init__(self, edit):
        self.edit = edit
        self.pairs = {}
        self.met = 0
        # The value, or the mapping that gains a key; the key that goes; whether brackets are around.
        self.at = self.key = None
        self.in_flow = False

    def same(self, before, after, on, way):
        line = before.start_mark.line + 1
        if id(before) in self.pairs:
            if self.pairs[id(before)] is not after:
                raise Wrong(f"line {line}: an alias stands for another value")
            return
        self.pairs[id(before)] = after
        if on and not way and self.edit["op"] == "set":
            self.met += 1
            self.at = before
            if (after.tag, after.value) != ("tag:yaml.org,2002:str", self.edit["value"]):
                raise Wrong(f"line {line}: the value is {after.tag} {after.value!r}")
            return
        if type(before) is not type(after) or before.tag != after.tag:
            raise Wrong(f"line {line}: {before.tag} became {after.tag}")
        if isinstance(before, yaml.ScalarNode):
            if (before.value, before.style) != (after.value, after.style):
                raise Wrong(f"line {line}: {before.value!r} became {after.value!r}")
            return
        if before.flow_style != after.flow_style:
            raise Wrong(f"line {line}: a style changed")
        self.in_flow = self.in_flow or (on and bool(before.flow_style))
        if isinstance(before, yaml.MappingNode):
            self.entries(before, after, on, way)
            return
        if len(before.value) != len(after.value):
            raise Wrong(f"line {line}: {len(before.value)} items became {len(after.value)}")
        for number, (old, new) in enumerate(zip(before.value, after.value)):
            under = on and bool(way) and way[0] == str(number)
            self.same(old, new, under, way[1:] if under else [])

    def entries(self, before, after, on, way):
        line = before.start_mark.line + 1
        old, new = list(before.value), list(after.value)
        if on and not way and self.edit["op"] == "add":
            self.met += 1
            self.at = before
            wanted = [("tag:yaml.org,2002:str", self.edit["key"]), ("tag:yaml.org,2002:str", self.edit["value"])]
            found = [pair for pair in new if [(part.tag, part.value) for part in pair] == wanted]
            if len(found) != 1:
                raise Wrong(f"line {line}: the new key is there {len(found)} times")
            new.remove(found[0])
        if on and len(way) == 1 and self.edit["op"] == "remove":
            found = [pair for pair in old if is_named(pair[0], way[0])]
            if len(found) != 1:
                raise Wrong(f"line {line}: the key was there {len(found)} times")
            self.met += 1
            self.key, self.at = found[0]
            old.remove(found[0])
            on = False
        if len(old) != len(new):
            raise Wrong(f"line {line}: {len(new)} keys are there, not {len(old)}")
        for (old_key, old_value), (new_key, new_value) in zip(old, new):
            self.same(old_key, new_key, False, [])
            under = on and bool(way) and is_named(old_key, way[0])
            self.same(old_value, new_value, under, way[1:] if under else [])


def inserted(before, after):
    """What was put into the text, if that is one piece."""
    size = len(after) - len(before)
    at = prefix(before, after)
    if size >= 0 and after[at + size :] == before[at:]:
        return after[at : at + size]
    return None


def prefix(one, other):
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def set_bytes(before, after, node, wanted):
    start, end = node.start_mark.index, node.end_mark.index
    if not (after.startswith(before[:start]) and after[start:].endswith(before[end:])):
        raise Wrong("bytes outside of the value changed")
    new = after[start : len(after) - len(before) + end]
    # An anchor may stand on a line before.
    new = re.sub(r"^&\S+\s+", "", new)
    if ENDING.search(new.rstrip()) or (node.style not in ("|", ">") and ENDING.search(new)):
        raise Wrong(f"the value stands on several lines: {new!r}")


def add_bytes(before, after, in_flow):
    new = inserted(before, after)
    if new is None and in_flow:
        # The last entry before it gains a comma.
        at = prefix(before, after)
        for comma in (after[at : at + 1], after[at : at + 2]):
            if comma.strip() == ",":
                new = inserted(before, after[:at] + after[at + len(comma) :])
                if new is not None:
                    break
    if new is None:
        raise Wrong("more than a new entry changed")
    endings = len(ENDING.findall(new))
    if endings > 1 or (not in_flow and endings != 1):
        raise Wrong(f"a new entry is one line: {new!r}")


def last_mark(text, node, floor):
    """Where a value that stands after `floor` ends: PyYAML ends a block where the next token is."""
    if node.start_mark.index < floor:
        # It stands elsewhere: here is its alias.
        alias = ALIAS.search(text, floor)
        return alias.end() if alias else floor
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return max(node.end_mark.index, floor)
    for child in node.value:
        for part in child if isinstance(child, tuple) else (child,):
            floor = last_mark(text, part, floor)
    return floor


def remove_bytes(before, after, key, value, in_flow):
    start = key.start_mark.index
    end = last_mark(before, value, key.end_mark.index)
    if in_flow:
        removed_in_flow(before, after, start, end)
        return
    line = max(before.rfind("\n", 0, start), before.rfind("\r", 0, start)) + 1
    ending = ENDING.search(before, end)
    below = ending.end() if ending else len(before)
    if end > start and ENDING.match(before[end - 1]):
        below = end
    if before[line:start].strip(" "):
        # The first key of a list item: what follows moves up.
        line = start
        below += len(before[below:]) - len(before[below:].lstrip())
    size = len(before) - len(after)
    at = prefix(before, after)
    for begin in range(max(line, at - size), at + 1):
        if before[:begin] + before[begin + size :] == after and begin + size <= below:
            return
    raise Wrong("a removal took more than its own lines")


def removed_in_flow(before, after, start, end):
    """Nothing but the entry, blanks, line endings, commas, and a comment on its own line may go."""
    plain = str.maketrans("", "", " \t\r\n,")
    beside = re.match(r"[ \t]*,?[ \t]+#[^\r\n]*", before[end:])
    ends = [end] + ([end + beside.end()] if beside else [])
    left = [(before[:start] + before[stop:]).translate(plain) for stop in ends]
    if after.translate(plain) not in left:
        raise Wrong("a removal took more than its entry")


def judge(text, documents, loader, edit):
    try:
        after = read_by(loader, edit["after"])
    except UNREADABLE as error:
        raise Wrong(f"it cannot be read any more: {error}") from error
    if len(after) != len(documents):
        raise Wrong(f"{len(after)} documents are there, not {len(documents)}")
    held = Comparison(edit)
    for number, (old, new) in enumerate(zip(documents, after)):
        on = number == edit["document"]
        held.same(old, new, on, edit["path"] if on else [])
    if held.met != 1:
        raise Wrong(f"the named place was met {held.met} times")
    if text.startswith("\ufeff") != edit["after"].startswith("\ufeff"):
        raise Wrong("the byte-order mark changed")
    before, after = text.removeprefix("\ufeff"), edit["after"].removeprefix("\ufeff")
    if edit["op"] == "set":
        set_bytes(before, after, held.at, edit["value"])
    elif edit["op"] == "add":
        add_bytes(before, after, held.in_flow)
    else:
        remove_bytes(before, after, held.key, held.at, held.in_flow)


def main():
    text, documents, loader, unreadable = "", [], None, None
    for line in sys.stdin:
        asked = json.loads(line)
        said = {}
        if "before" in asked:
            text, unreadable = asked["before"], None
            try:
                documents, loader = read(text)
            except UNREADABLE as error:
                unreadable = str(error)
        if unreadable is not None:
            said["unreadable"] = unreadable
        elif "before" not in asked:
            try:
                judge(text, documents, loader, asked)
            except Wrong as wrong:
                said["wrong"] = f"PyYAML: {wrong}"
        print(json.dumps(said), flush=True)


main()
