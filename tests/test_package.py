"""The package as a whole: what importing it costs, what installing it brings."""

import ast
import configparser
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from rooms import ARROWS, public_names

ROOT = Path(__file__).parent.parent
PACKAGES = ("keras_attention", "nmt")


@pytest.fixture(scope="module")
def metadata():
    """What setup.cfg says."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def run(*arguments, cwd=ROOT, **environment):
    """Runs a fresh interpreter and gives what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded_by(statement, **environment):
    """The top-level modules that a statement loads in a fresh interpreter."""
    code = (
        f"import json, sys\n{statement}\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    return set(json.loads(run("-c", code, **environment).splitlines()[-1]))


@pytest.mark.parametrize(
    ("backend", "absent"),
    [
        ("tensorflow", ["matplotlib", "nmt"]),
        ("jax", ["tensorflow", "matplotlib", "nmt"]),
    ],
)
def test_importing_the_layers_needs_only_keras_and_its_backend(backend, absent):
    # Made impossible to import rather than looked for afterwards: Keras itself loads
    # matplotlib where it finds it.
    loaded = loaded_by(
        f"sys.modules.update(dict.fromkeys({absent}))\nimport keras_attention",
        KERAS_BACKEND=backend,
    )
    assert {"keras_attention", backend} <= loaded


def test_what_draws_and_records_is_imported_when_it_is_used():
    code = (
        "import sys\n"
        "import keras_attention as ka\n"
        "rooms = ('page', 'plots', 'recording')\n"
        "names = ['keras_attention.' + room for room in rooms]\n"
        "assert not any(name in sys.modules for name in names)\n"
        "assert all(getattr(ka, name) is not None for name in ka.__all__)\n"
        "assert all(sys.modules[name] is not None for name in names)\n"
        "assert ka.plots.plot_attention is ka.plot_attention\n"
        "from keras_attention import *\n"
        "assert record_attention is ka.record_attention\n"
        "try:\n"
        "    ka.attention_pages\n"
        "except AttributeError as error:\n"
        "    print(error)\n"
    )
    assert "module 'keras_attention' has no attribute 'attention_pages'" in run(
        "-c", code
    )


def test_importing_nmt_does_not_wait_for_keras():
    loaded = loaded_by("import nmt")
    assert "nmt" in loaded
    assert not loaded & {"tensorflow", "keras", "keras_attention"}


def test_help_loads_nothing_heavy():
    loaded = loaded_by(
        "import runpy\n"
        "sys.argv = ['nmt', '--help']\n"
        "try:\n"
        "    runpy.run_module('nmt', run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
    )
    assert "nmt" in loaded
    assert not loaded & {
        "keras",
        "matplotlib",
        "numpy",
        "pooch",
        "sacrebleu",
        "sentencepiece",
        "tensorflow",
        "tensorflow_text",
    }


@pytest.mark.parametrize(
    ("python", "system", "machine", "brings"),
    [
        ("3.11", "linux", "x86_64", {"tensorflow", "tensorflow-text"}),
        ("3.13", "linux", "aarch64", {"tensorflow", "tensorflow-text"}),
        ("3.12", "darwin", "arm64", {"tensorflow", "tensorflow-text"}),
        ("3.12", "win32", "AMD64", {"tensorflow"}),
        ("3.12", "win32", "ARM64", set()),
        ("3.12", "darwin", "x86_64", set()),
        ("3.14", "linux", "x86_64", set()),
    ],
)
def test_it_installs_everywhere_with_what_has_a_wheel_there(
    metadata, python, system, machine, brings
):
    place = {
        "python_version": python,
        "sys_platform": system,
        "platform_machine": machine,
    }
    lines = metadata["options"]["install_requires"].split("\n")
    needed = [Requirement(line) for line in lines if line.strip()]
    installed = {
        package.name
        for package in needed
        if package.marker is None or package.marker.evaluate(place)
    }
    assert {"keras", "numpy", "matplotlib"} <= installed
    assert {name for name in installed if name.startswith("tensorflow")} == brings


def test_the_version_is_written_the_same_everywhere(metadata):
    version = metadata["metadata"]["version"]
    initial = (ROOT / "keras_attention/__init__.py").read_text(encoding="utf-8")
    assert f'__version__ = "{version}"' in initial
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+)", changes, re.MULTILINE)[1] == version


def test_ruff_has_one_version_everywhere(metadata):
    extra = metadata["options.extras_require"]["test"]
    version = re.search(r"^ruff==(\S+)$", extra, re.MULTILINE)[1]
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert re.search(r"ruff-pre-commit\n\s+rev: v(\S+)", hooks)[1] == version


def rows_of_rooms():
    """The rooms in the tables of ARCHITECTURE.md: sentence and names by room."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+/\w+)/` \| (.*) \| (.*) \|$", text, re.MULTILINE)
    return {room.replace("/", "."): told for room, *told in rows}


@pytest.mark.parametrize("room", ARROWS)
def test_the_architecture_has_each_room_with_the_sentence_and_names_of_its_door(room):
    sentence, names = rows_of_rooms()[room]
    door = (ROOT / room.replace(".", "/") / "__init__.py").read_text(encoding="utf-8")
    assert sentence == ast.get_docstring(ast.parse(door)).partition("\n")[0]
    assert set(re.findall(r"`(\w+)`", names)) <= public_names(door)


def test_the_architecture_names_no_room_or_file_that_does_not_exist():
    assert set(rows_of_rooms()) == set(ARROWS)
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = set(re.findall(r"[\w/]+\.(?:py|md|js|cfg|toml)\b", text))
    existing = {
        path.as_posix()
        for folder in (*PACKAGES, "tests", "benchmarks")
        for path in (ROOT / folder).rglob("*.*")
    }
    assert {"layers/base.py", "__init__.py"} <= named
    assert not {
        name
        for name in named
        if not any(path.endswith(f"/{name}") for path in existing)
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel, built from a copy so that the tree stays as it is."""
    source = tmp_path_factory.mktemp("source")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in PACKAGES:
        shutil.copytree(
            ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    target = tmp_path_factory.mktemp("wheel")
    options = ("--no-deps", "--no-build-isolation", "--quiet")
    run("-m", "pip", "wheel", *options, "--wheel-dir", str(target), str(source))
    (built,) = target.glob("*.whl")
    return built


def test_the_wheel_holds_every_file_of_both_packages_and_no_other(wheel):
    packed = {
        name
        for name in zipfile.ZipFile(wheel).namelist()
        if not name.partition("/")[0].endswith(".dist-info")
    }
    wanted = {
        path.relative_to(ROOT).as_posix()
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and not path.name.startswith(".")  # of a file manager or an editor
    }
    assert packed == wanted


def test_the_installed_wheel_runs_outside_the_tree(wheel, tmp_path):
    site = tmp_path / "site"
    options = ("--no-deps", "--no-index", "--quiet", "--target", str(site))
    run("-m", "pip", "install", *options, str(wheel))
    outside = {"cwd": tmp_path, "PYTHONPATH": str(site)}
    assert run("-c", "import nmt; print(nmt.__file__)", **outside).startswith(str(site))
    assert "demo" in run("-m", "nmt", "--help", **outside)
