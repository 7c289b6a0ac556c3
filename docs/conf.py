"""Settings of the site: Sphinx reads them, see `make docs`."""

import inspect
import re
import sys
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util.logging import getLogger

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import keras_attention as ka  # noqa: E402

log = getLogger(__name__)

project = "keras_attention and nmt"
version = release = ka.__version__
author = "the authors"
html_title = project
html_show_copyright = False
html_show_sourcelink = html_copy_source = False

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "myst_nb",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
html_theme = "furo"
pygments_style, pygments_dark_style = "friendly", "github-dark"
html_static_path = [str(HERE / "static")]
html_css_files = ["site.css"]
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True

# Notebooks are shown with the outputs that they hold.
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath"]
html_math_renderer = "mathml"
myst_heading_anchors = 3
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type"]

# The docstrings say in words what a type says shortly.
autodoc_typehints = "none"
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
napoleon_use_rtype = False
napoleon_use_ivar = True
napoleon_custom_sections = [
    ("Call arguments", "params_style"),
    ("Outputs", "params_style"),
    "Reference",
    "References",
]


def setup(app):
    # Before napoleon, which has the ordinary priority of 500.
    app.connect("autodoc-process-docstring", to_restructured_text, priority=400)
    app.connect("autodoc-process-signature", own_signature)
    app.connect("html-page-context", let_code_break)
    # What browsers show by themselves, without a network.
    app.add_html_math_renderer("mathml", (formula, None), (block_formula, None))


def let_code_break(app, page, template, context, doctree):
    """Let code in the cells of tables break between its parts, without a hyphen."""

    def parts(match):
        return re.sub(r"(?<=[a-z0-9)])(?=[A-Z])|(?<=[(.=_/:])(?=\w)", "<wbr>", match[0])

    def cell(match):
        code = r"(?<=>)[^<>]+(?=</span></code>|</span>\s|</code>)"
        return re.sub(r"<code.*?</code>", lambda m: re.sub(code, parts, m[0]), match[0])

    if "body" in context:
        body = context["body"]
        context["body"] = re.sub(r"<td.*?</td>", cell, body, flags=re.S)


def formula(writer, node, form="{}", display="inline"):
    """Write a formula in a line as MathML."""
    tex = node.astext().replace("{aligned}", "{split}")
    tex = re.sub(r"\\tag\{(.*?)\}", r"\\qquad (\1)", tex)
    written = convert(tex, display=display)
    if left := re.search(r"<mi>(\\\w*|&)</mi>", written):
        log.warning("%s is not known in formulas: %s", left[1], tex, location=node)
    # A name such as ln stands off from what it is taken of.
    name = r"(<mi>[a-z]{2,}</mi>)(?=<mi>|<ms)"
    written = re.sub(name, r'\1<mspace width="0.2em" />', written)
    writer.body.append(form.format(written))
    raise nodes.SkipNode


def block_formula(writer, node):
    """Write a formula with lines of its own as MathML."""
    formula(writer, node, '<div class="formula">{}</div>', "block")


def own_signature(app, what, name, obj, options, signature, returned):
    """Show what a class is made from: Keras' layers take anything before that."""
    if what != "class" or signature != "(*args, **kwargs)":
        return None
    own = inspect.signature(obj.__init__)
    arguments = [
        argument.replace(annotation=inspect.Parameter.empty)
        for argument in own.parameters.values()
        if argument.name != "self"
    ]
    shown = own.replace(parameters=arguments, return_annotation=inspect.Signature.empty)
    return str(shown), None


def to_restructured_text(app, what, name, obj, options, lines):
    """Turn the Markdown of a docstring into what Sphinx reads, in place."""
    lines[:] = fences(tables(outputs(call_arguments(formulas(lines)))))


def formulas(lines):
    """Show the second paragraph as it stands where it is a formula."""
    lines = list(lines)
    first = lines.index("") + 1 if "" in lines else 0
    last = lines.index("", first) if "" in lines[first:] else len(lines)
    told = lines[first:last]
    if not first or not told or told[-1].rstrip().endswith((".", ":")):
        return lines
    if any(line.startswith((" ", "|", "```")) for line in told) or len(told) > 6:
        return lines
    if not any(sign in "".join(told) for sign in "=·|"):
        return lines
    return lines[:first] + ["```text", *told, "```"] + lines[last:]


def call_arguments(lines):
    """Give what stands in parentheses after "Call arguments" a line of its own."""
    made = []
    for line in lines:
        match = re.match(r"Call arguments \((.*)\):$", line)
        if match:
            made += [f"Call arguments: {match[1]}.", "", "Call arguments:"]
        else:
            made.append(line)
    return made


def tables(lines):
    """Turn tables into lists of lists, with a heading."""
    made, rows = [], 0
    for line in lines:
        if not line.startswith("|"):
            made += [""] * bool(rows) + [line]
            rows = 0
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not rows:
            made += [".. list-table::", "   :header-rows: 1", ""]
        rows += 1
        if not set("".join(cells)) <= set("-:"):
            made += [f"   {'-' if k else '* -'} {c}" for k, c in enumerate(cells)]
            for back in range(len(cells) - 1):
                made[-1 - back] = "  " + made[-1 - back]
    return made


def fences(lines):
    """Turn fenced code into code blocks, and what is marked in lines into roles."""
    made, inside = [], False
    for line in lines:
        if line.lstrip().startswith("```"):
            inside = not inside
            indent = line[: len(line) - len(line.lstrip())]
            kind = line.strip()[3:] or "text"
            made += [f"{indent}.. code-block:: {kind}", ""] if inside else [""]
        elif inside:
            made.append(f"   {line}" if line else line)
        else:
            made.append(marks(line))
    return made


def marks(line):
    """Turn links and what stands in backticks into their form; escape the rest."""
    parts = re.split(r"(?<!`)`([^`]+)`(?!`)", line)
    for number, part in enumerate(parts):
        if number % 2:
            parts[number] = literal(part)
        else:
            part = re.sub(r"\[([^\]]+)\]\((https?://[^)]+)\)", r"`\1 <\2>`__", part)
            parts[number] = re.sub(r"(?<=, )(?=\*\*\w)|(?=\|)", r"\\", part)
    return "".join(parts)


def literal(words):
    name = words.removeprefix("keras_attention.").removesuffix("()")
    if name in ka.__all__:
        return f":py:obj:`{words} <keras_attention.{name}>`"
    return f"``{words}``"


def outputs(lines):
    """Call a section of returns "Outputs" where it names each of several."""
    lines = list(lines)
    for number, line in enumerate(lines):
        if line.strip() == "Returns:":
            body = []
            for after in lines[number + 1 :]:
                if after and not after.startswith(" "):
                    break
                body.append(after)
            first = [text for text in body if re.match(r" {4}\S", text)]
            if first and all(re.match(r" +\*?[\w, ]+: ", text) for text in first):
                lines[number] = "Outputs:"
    return lines
