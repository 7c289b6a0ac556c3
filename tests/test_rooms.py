"""The rooms of both packages: which may import which, and through which door."""

import json

import pytest
from rooms import (
    ARROWS,
    FORMER,
    ROOMS,
    ROOT,
    SHARED,
    against_the_arrows,
    circle_of_modules,
    circle_of_rooms,
    imported_by_a_string,
    is_top,
    loads_at_once,
    not_allowed_outside,
    not_public,
    not_used,
    past_the_doors,
    public_names,
    read_imports,
    room_of,
    sources,
    without_a_sentence,
)

# ---- The trees


def shown():
    """The sources of benchmarks and notebooks, by a name of their own."""
    found = sources("benchmarks")
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        lines = "".join(
            "".join(cell["source"]) + "\n"
            for cell in cells
            if cell["cell_type"] == "code"
        ).splitlines()
        lines = [line for line in lines if not line.startswith(("%", "!"))]
        found[f"notebooks.{path.stem}"] = "\n".join(lines)
    return found


@pytest.fixture(scope="module", params=ROOMS)
def tree(request):
    """The sources of one package and its imports."""
    texts = sources(request.param)
    return texts, read_imports(texts)


def test_the_rooms_of_the_table_are_the_folders_of_the_packages():
    folders = {
        f"{package}.{door.parent.name}"
        for package in ROOMS
        for door in (ROOT / package).glob("*/__init__.py")
    }
    assert folders == set(ARROWS)


def test_no_module_but_the_shared_ones_is_outside_the_rooms():
    outside = {
        module
        for package in ROOMS
        for module in sources(package)
        if room_of(module) is None and not is_top(module)
    }
    assert SHARED <= outside <= SHARED | FORMER


def test_rooms_import_along_the_arrows_only(tree):
    _, imports = tree
    assert not against_the_arrows(imports)


def test_rooms_import_one_another_through_their_doors(tree):
    texts, imports = tree
    assert not past_the_doors(imports, texts)


def test_every_name_of_a_door_is_used_by_another_room_or_shown_to_users(tree):
    texts, imports = tree
    assert not not_used([*imports, *read_imports(texts | shown())], texts)


def test_no_circle_of_modules_or_of_rooms(tree):
    texts, imports = tree
    assert not circle_of_modules(imports, texts)
    assert not circle_of_rooms(imports)


def test_no_module_is_imported_by_a_string_from_another_room(tree):
    texts, _ = tree
    assert not imported_by_a_string(texts)


def test_every_door_says_in_one_sentence_what_its_room_is_for(tree):
    texts, _ = tree
    assert not without_a_sentence(texts)


def test_the_layers_import_keras_and_the_weights_as_arrays_only_numpy():
    assert not not_allowed_outside(read_imports(sources("keras_attention")))


def test_no_door_waits_for_matplotlib():
    loaded = loads_at_once(read_imports(sources("keras_attention")), "keras_attention")
    assert "keras_attention.plots.plot" in loaded
    assert not {name for name in loaded if name.startswith("matplotlib")}


def test_the_program_uses_public_names_of_the_layers_only():
    public = public_names(sources("keras_attention")["keras_attention"])
    assert not not_public(read_imports(sources("nmt")), public)


def test_every_room_has_a_folder_of_tests():
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    assert {room.partition(".")[2] for room in ARROWS} <= folders


# ---- The rules can fail


def house(modules):
    """Sources and imports of made-up modules of `keras_attention`."""
    texts = {f"keras_attention.{name}": text for name, text in modules.items()}
    return texts, read_imports(texts)


CORE = {
    "core": "from keras_attention.core.masks import join\n__all__ = ['join']",
    "core.masks": "",
}


@pytest.mark.parametrize(
    ("by", "statement"),
    [
        ("core.masks", "from keras_attention.layers import Dot"),
        ("core.masks", "def late():\n    from keras_attention.layers import Dot"),
        ("core.masks", "async def late():\n    import keras_attention.layers.dot"),
        ("core.masks", "class A:\n    from keras_attention import layers"),
        ("chunked.softmax", "from keras_attention.positions import bias"),
        ("plots.plot", "from keras_attention.core import join"),
        ("files", "from keras_attention.core import join"),
        ("layers.dot", "from keras_attention import ScoreAttention"),
        ("layers.dot", "from keras_attention.old import join"),
        ("layers.dot", "import keras_attention.old"),
    ],
)
def test_an_import_against_the_arrows_is_found(by, statement):
    _, imports = house({by: statement, "layers": ""})
    assert against_the_arrows(imports)


@pytest.mark.parametrize(
    ("by", "statement"),
    [
        ("layers.dot", "from keras_attention.core import join"),
        ("recording.record", "from keras_attention.core import join"),
        ("core.masks", "from keras_attention.core.checks import check"),
        ("core.masks", "from keras_attention.files import write_whole"),
        ("__main__", "from keras_attention.core import join"),
    ],
)
def test_an_import_along_the_arrows_is_allowed(by, statement):
    _, imports = house({by: statement})
    assert not against_the_arrows(imports)


@pytest.mark.parametrize("statement", ["from . import masks", "from .masks import a"])
def test_a_relative_import_is_found(statement):
    (found, *_) = read_imports({"keras_attention.core.scores": statement})
    assert found.module.startswith(".")
    assert against_the_arrows([found])


@pytest.mark.parametrize(
    "statement",
    [
        "from keras_attention.core.masks import join",
        "from keras_attention.core import masks",
        "from keras_attention.core import hide",
        "import keras_attention.core.masks",
        "from keras_attention import core\ncore.hide()",
        "import keras_attention.core as core\ncore.hide()",
    ],
)
def test_an_import_past_a_door_is_found(statement):
    texts, imports = house({**CORE, "layers.dot": statement})
    assert past_the_doors(imports, texts)


@pytest.mark.parametrize(
    "statement",
    [
        "from keras_attention.core import join",
        "def late():\n    from keras_attention import core\n    core.join()",
        "from keras_attention import core\n__all__ = ['join']\ngetattr(core, 'join')",
    ],
)
def test_a_name_is_used_however_it_is_imported(statement):
    texts, imports = house({**CORE, "layers.dot": statement})
    assert not past_the_doors(imports, texts)
    assert not not_used(imports, texts)


def test_a_name_that_only_its_own_room_uses_is_found():
    scores = "from keras_attention.core import join"
    texts, imports = house({**CORE, "core.scores": scores})
    (found,) = not_used(imports, texts)
    assert found == "keras_attention.core.join is used by no other room"


def test_circles_are_found():
    late = "def late():\n    from keras_attention.core.masks import join"
    masks = "from keras_attention.core.checks import check"
    texts, imports = house({"core.masks": masks, "core.checks": late})
    assert circle_of_modules(imports, texts)
    # A room that comes in by its own door.
    masks = "from keras_attention.core import check"
    texts, imports = house({**CORE, "core.masks": masks})
    assert circle_of_modules(imports, texts)
    _, imports = house(
        {
            "core.masks": "from keras_attention.layers import a",
            "layers.dot": "from keras_attention.core import b",
        }
    )
    assert circle_of_rooms(imports)


@pytest.mark.parametrize(
    ("by", "statement"),
    [
        ("core.masks", "import tensorflow as tf"),
        ("layers.dot", "def late():\n    from nmt import Translator"),
        ("layers.dot", "import matplotlib"),
        ("analysis.links", "import keras"),
        ("analysis.links", "def late():\n    import matplotlib"),
        ("plots.plot", "from keras import ops"),
        ("page.view", "import keras"),
        ("files", "import numpy"),
    ],
)
def test_an_import_from_elsewhere_that_is_not_allowed_is_found(by, statement):
    _, imports = house({by: statement})
    assert not_allowed_outside(imports)


def test_what_is_loaded_at_once_leaves_out_what_is_imported_late():
    _, imports = house(
        {
            "plots": "import keras_attention.plots.plot",
            "plots.plot": "def late():\n    import keras_attention.plots.figure",
            "plots.figure": "import matplotlib",
        }
    )
    assert "matplotlib" not in loads_at_once(imports, "keras_attention.plots")
    assert "matplotlib" in loads_at_once(imports, "keras_attention.plots.figure")


@pytest.mark.parametrize(
    "statement",
    [
        "from keras_attention.core import project",
        "import keras_attention.core",
        "from keras_attention import project",
        "import keras_attention as ka\nka.project",
    ],
)
def test_a_name_of_the_layers_that_is_not_public_is_found(statement):
    assert not_public(read_imports({"nmt.model": statement}), {"Cache"})


@pytest.mark.parametrize(
    "begin", ["import keras_attention as ka\nka.", "from keras_attention import "]
)
def test_a_public_name_of_the_layers_is_allowed(begin):
    assert not not_public(read_imports({"nmt.model": f"{begin}Cache"}), {"Cache"})


@pytest.mark.parametrize(
    "docstring", ["", "Arithmetic", "Arithmetic. And checks.", "Arithmetic\nof layers."]
)
def test_a_door_without_one_sentence_is_found(docstring):
    texts = {"keras_attention.core": f'"""{docstring}"""'}
    assert without_a_sentence(texts)
    assert not without_a_sentence({"keras_attention.core": '"""Shared arithmetic."""'})


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ("import_module(name)", True),
        ("importlib.import_module('nmt.training')", True),
        ("__import__('nmt.training')", True),
        ("import_module(f'nmt.app.commands.{name}')", False),
    ],
)
def test_an_import_by_a_string_is_found_unless_it_stays_in_its_room(call, found):
    assert bool(imported_by_a_string({"nmt.app.cli": call})) is found
