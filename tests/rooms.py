"""The rules of rooms: which may import which, and through which door.

All imports count, those inside functions too. They are read from the sources, so that
nothing has to be imported, and so that `test_rooms.py` can show each rule to fail.
"""

import ast
import re
import sys
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent

# A room may import those named here, and what these may import.
ROOMS = {
    "keras_attention": {
        "core": [],
        "chunked": ["core"],
        "positions": ["core"],
        "layers": ["chunked", "positions"],
        "recurrent": ["layers"],
        "analysis": [],
        "plots": ["analysis"],
        "page": ["analysis"],
        "recording": ["recurrent", "plots", "page"],
    },
    "nmt": {
        "phrasebook": [],
        "corpora": ["phrasebook"],
        "text": [],
        "model": ["text"],
        "links": [],
        "translation": ["model", "links"],
        "training": ["translation", "corpora"],
        "evaluation": ["translation", "corpora"],
        "app": ["training", "evaluation"],
    },
}
ARROWS = {
    f"{package}.{room}": [f"{package}.{each}" for each in below]
    for package, rooms in ROOMS.items()
    for room, below in rooms.items()
}
# Modules outside the rooms that all may import. They import no room.
SHARED = {
    "keras_attention.annotations",
    "keras_attention.files",
    "nmt.archives",
    "nmt.config",
    "nmt.cores",
    "nmt.errors",
    "nmt.files",
    "nmt.limits",
    "nmt.presets",
}
# Where a public name was before: for scripts alone, and imported by no room.
FORMER = {"nmt.attentions"}
# What `keras_attention` may import besides itself and the standard library.
OUTSIDE = {
    "keras_attention.annotations": set(),
    "keras_attention.files": set(),
    "keras_attention.analysis": {"numpy"},
    "keras_attention.plots": {"numpy", "matplotlib"},
    "keras_attention.page": {"numpy"},
}
OUTSIDE_ELSEWHERE = {"keras", "numpy"}


@dataclass(frozen=True)
class Import:
    """One name, or a whole module (`name` is None), imported by a module."""

    by: str
    module: str
    name: str | None
    lazy: bool  # inside a function

    def __str__(self):
        return f"{self.by} imports {self.name or 'all'} from {self.module}"


# ---- Reading sources


def sources(package):
    """The text of every module of a package by its full name."""
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        found[name] = path.read_text(encoding="utf-8")
    return found


def read_imports(texts):
    """Every import of the modules `texts`, a dict of sources by module name.

    `from package import module` counts as an import of that module, and of each name
    that is then taken from it, as in `module.name`.
    """
    return [
        found
        for by, text in texts.items()
        for node, lazy in _statements(ast.parse(text))
        for found in _imports_of(node, lazy, by, texts)
    ]


def _statements(node, lazy=False):
    for child in ast.iter_child_nodes(node):
        inside = lazy or isinstance(
            child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
        )
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, lazy
        yield from _statements(child, inside)


def _imports_of(node, lazy, by, texts):
    for alias in node.names:
        if isinstance(node, ast.Import):
            module, name = alias.name, None
        else:
            module, name = "." * node.level + (node.module or ""), alias.name
            whole = f"{module}.{name}"
            if whole in texts and name not in public_names(texts.get(module, "")):
                module, name = whole, None
        yield Import(by, module, name, lazy)
        if name is None:
            offered = public_names(texts.get(module, ""))
            for taken in _taken_from(alias.asname or alias.name, texts[by], offered):
                yield Import(by, module, taken, lazy)


def _taken_from(variable, text, offered):
    """Names taken from a module that is held by a variable, by `.` or by `getattr`."""
    taken = set()
    for each in ast.walk(ast.parse(text)):
        if isinstance(each, ast.Attribute) and _is_name(each.value, variable):
            taken.add(each.attr)
        # A door that passes its names on by `__getattr__`.
        if (
            isinstance(each, ast.Call)
            and _is_name(each.func, "getattr")
            and _is_name(each.args[0], variable)
        ):
            taken |= public_names(text) & offered
    return sorted(taken)


def _is_name(node, name):
    return isinstance(node, ast.Name) and node.id == name


def public_names(text):
    """The names in `__all__` of a source."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and _is_name(node.targets[0], "__all__"):
            return set(ast.literal_eval(node.value))
    return set()


def package_of(module):
    """The package of a module, the first part of its name."""
    return module.partition(".")[0]


def room_of(module):
    """The room that a module is in, or `None`."""
    room = ".".join(module.split(".")[:2])
    return room if room in ARROWS else None


def is_top(module):
    """Whether a module is above all rooms: a package, `__main__`, a former place."""
    return module in {*ROOMS, *FORMER} or module.endswith(".__main__")


# ---- The rules: each gives a list of what breaks it


def reachable(room):
    """Every room that a room may import."""
    return set(ARROWS[room]).union(*map(reachable, ARROWS[room]))


def against_the_arrows(imports):
    """Imports of a room that the importer may not know, or of a module of neither."""
    wrong = []
    for each in imports:
        here, there = room_of(each.by), room_of(each.module)
        if each.module.startswith("."):
            wrong.append(each)  # relative: says neither package nor room
        elif is_top(each.by) or package_of(each.module) != package_of(each.by):
            continue
        elif there is None:
            wrong += [each] if each.module not in SHARED else []
        elif here != there and (here is None or there not in reachable(here)):
            wrong.append(each)
    return [str(each) for each in wrong]


def past_the_doors(imports, texts):
    """Imports from another room that do not name something its door offers."""
    return [
        str(each)
        for each in imports
        if room_of(each.module) and room_of(each.module) != room_of(each.by)
        if each.module != room_of(each.module)
        or (each.name is not None and each.name not in public_names(texts[each.module]))
    ]


def not_used(imports, texts):
    """Names that a door offers and no other room imports."""
    used = {
        (each.module, each.name)
        for each in imports
        if room_of(each.by) != room_of(each.module)
    }
    return [
        f"{module}.{name} is used by no other room"
        for module, text in texts.items()
        if module in ARROWS
        for name in sorted(public_names(text))
        if (module, name) not in used
    ]


def circle(pairs):
    """A circle in a graph of `(importer, imported)` pairs, or an empty list."""
    graph = {}
    for importer, imported in pairs:
        if importer != imported:
            graph.setdefault(importer, set()).add(imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def circle_of_modules(imports, texts):
    """A circle of modules; a door and a module behind it are two."""
    return circle((each.by, each.module) for each in imports if each.module in texts)


def circle_of_rooms(imports):
    """A circle of rooms."""
    pairs = ((room_of(each.by), room_of(each.module)) for each in imports)
    return circle(pair for pair in pairs if None not in pair)


def not_allowed_outside(imports):
    """What `keras_attention` imports from elsewhere and must not."""
    wrong = []
    for each in imports:
        top = package_of(each.module)
        if package_of(each.by) != "keras_attention" or top in ("", "keras_attention"):
            continue
        allowed = OUTSIDE.get(room_of(each.by) or each.by, OUTSIDE_ELSEWHERE)
        if top not in sys.stdlib_module_names and top not in allowed:
            wrong.append(str(each))
    return wrong


def loads_at_once(imports, start):
    """Every module that importing `start` loads, those elsewhere too."""
    below = {}
    for each in imports:
        if not each.lazy:
            below.setdefault(each.by, set()).add(each.module)
    found, waiting = set(), [start]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += below.get(module, ())
    return found


def not_public(imports, public):
    """What `nmt` imports from `keras_attention` that is not for everyone."""
    return [
        str(each)
        for each in imports
        if package_of(each.by) == "nmt"
        and package_of(each.module) == "keras_attention"
        and (each.module != "keras_attention" or each.name not in {None, *public})
    ]


def without_a_sentence(texts):
    """Doors whose docstring does not begin with one line that is one sentence."""
    wrong = []
    for module in ARROWS:
        if module in texts:
            lines = (ast.get_docstring(ast.parse(texts[module])) or "").split("\n")
            sentence = re.fullmatch(r"[A-Z`].*\.", lines[0])
            if not sentence or ". " in lines[0] or any(lines[1:2]):
                wrong.append(f"{module}: {lines[0]!r}")
    return wrong


def imported_by_a_string(texts):
    """Modules that import what no rule can read, unless it is in their own room."""
    wrong = []
    for module, text in texts.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and re.search(
                r"(^|\.)(import_module|__import__)$", ast.unparse(node.func)
            ):
                begin = re.match(r"f?['\"]([\w.]*)", ast.unparse(node.args[0]))
                if not begin or not begin[1].startswith(f"{room_of(module)}."):
                    wrong.append(f"{module}: {ast.unparse(node)}")
    return wrong
