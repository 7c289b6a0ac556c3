"""The notebooks: what is stored in them, and that each runs from top to bottom."""

import ast
import re

import nbformat
import pytest
from markdown_blocks import ROOT, python_blocks
from nbclient import NotebookClient

import keras_attention as ka

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
OF_A_MACHINE = re.compile(
    r"/(?:home|Users|root|tmp|work|private|var/folders)/|[A-Z]:\\Users"
)

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    return "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")


def tree(cell):
    """Its code without the lines that speak to IPython, parsed."""
    return ast.parse(re.sub("^[%!].*$", "", cell.source, flags=re.M))


def calls(node):
    """The calls that a cell makes when it runs: not those inside its functions."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda):
        return
    if isinstance(node, ast.Call):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from calls(child)


def name_called(call):
    """The last name of what is called: of `ka.plot_attention(...)` the plot."""
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def shows(cell):
    """Whether a cell prints, or ends with a value for IPython to show."""
    code = tree(cell)
    last = code.body[-1] if code.body else None
    return any(name_called(call) == "print" for call in calls(code)) or (
        isinstance(last, ast.Expr) and isinstance(last.value, ast.Name | ast.Attribute)
    )


def pictures(cell):
    return [one for one in cell.outputs if "image/png" in one.get("data", {})]


def alt_text(picture):
    return picture.metadata.get("image/png", {}).get("alt", "")


@pytest.mark.notebook
@each_notebook
def test_a_notebook_and_its_answers_run_from_top_to_bottom(path):
    notebook = read(path)
    for answer in re.findall(r"<details>(.*?)</details>", prose(notebook), re.S):
        cells = map(nbformat.v4.new_code_cell, python_blocks(answer))
        notebook.cells.extend(cells)
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()


@each_notebook
def test_a_notebook_is_stored_as_it_ran(path):
    assert path.stat().st_size < 400_000
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    cells = code_cells(notebook)
    counts = [cell.execution_count for cell in cells]
    assert counts == list(range(1, len(cells) + 1))
    for cell in cells:
        assert "execution" not in cell.metadata
        assert not shows(cell) or cell.outputs, cell.source
    assert any(pictures(cell) for cell in cells)


@each_notebook
def test_what_a_notebook_shows_is_no_error_no_warning_and_of_no_machine(path):
    for cell in code_cells(read(path)):
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr"
            text = output.get("text", "") + "".join(
                str(data)
                for kind, data in output.get("data", {}).items()
                if not kind.startswith("image/")
            )
            assert "Warning" not in text
            found = OF_A_MACHINE.search(text)
            assert not found, text[max(0, found.start() - 50) :][:120]


@each_notebook
def test_a_picture_of_weights_is_described(path):
    for cell in code_cells(read(path)):
        if any(name_called(call).startswith("plot_") for call in calls(tree(cell))):
            assert all(map(alt_text, pictures(cell))), cell.source


def test_the_pictures_of_a_translation_are_called_no_explanation():
    (path,) = [path for path in NOTEBOOKS if path.stem == "5_translation"]
    texts = [alt_text(p) for cell in code_cells(read(path)) for p in pictures(cell)]
    assert sum("not an explanation" in text for text in texts) >= 2


@each_notebook
def test_a_notebook_uses_public_names_alone(path):
    cells = code_cells(read(path))
    nodes = [node for cell in cells for node in ast.walk(tree(cell))]
    imported = [
        (alias.name, alias.asname)
        for node in nodes
        if isinstance(node, ast.Import)
        for alias in node.names
    ]
    imported_from = {n.module for n in nodes if isinstance(n, ast.ImportFrom)}
    assert ("keras_attention", "ka") in imported
    modules = {name for name, _ in imported} | imported_from
    assert not [name for name in modules if name.startswith("keras_attention.")]
    names = {part for name in modules for part in name.split(".")}
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.Attribute):
            names.add(node.attr)
            if isinstance(node.value, ast.Name) and node.value.id == "ka":
                assert node.attr in ka.__all__
    assert not [name for name in names if re.match("_(?!_)", name)]


@each_notebook
def test_a_notebook_explains_checks_and_asks(path):
    notebook = read(path)
    first, *_ = notebook.cells
    assert first.cell_type == "markdown" and first.source.startswith("# ")
    cells = code_cells(notebook)
    assert any(isinstance(n, ast.Assert) for c in cells for n in ast.walk(tree(c)))
    assert max(len(cell.source.splitlines()) for cell in cells) <= 15
    text = prose(notebook)
    assert "$$" in text
    answers = re.findall(
        r"<details><summary>.*?</summary>\n\n.*?</details>", text, re.S
    )
    assert answers
    assert len(answers) == text.count("<details") == text.count("</details>")
