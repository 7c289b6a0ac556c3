"""Names for types that many annotations share, and for what they cannot tell."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

Tensor: TypeAlias = Any
"""A tensor of Keras' backend, a symbolic one of a functional model, or a NumPy array.

It has to be `Any`: the tensors of TensorFlow, JAX and PyTorch have no class in common,
and no program has to have all three installed. Shapes and types of elements are in
the docstrings.
"""

Shape: TypeAlias = Sequence[int | None]
"""The shape of a tensor; `None` where the size of an axis is not known."""

Initializer: TypeAlias = str | dict[str, Any] | Callable[..., Any]
"""What `keras.initializers.get` takes: a name, a configuration, an initializer."""

Axes: TypeAlias = Any
"""Matplotlib Axes, which matplotlib is not imported for.

`Any`, too, because of the description in `ax.alt_text`, of which its class knows
nothing.
"""

Figure: TypeAlias = Any
"""A matplotlib Figure, or Axes, which have one."""
