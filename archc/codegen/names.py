"""The one allocator of names in generated code."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable

_MODULE = [
    "T_destination",
    "add_module",
    "apply",
    "bfloat16",
    "buffers",
    "call_super_init",
    "children",
    "compile",
    "cpu",
    "cuda",
    "double",
    "dump_patches",
    "eval",
    "extra_repr",
    "float",
    "forward",
    "get_buffer",
    "get_extra_state",
    "get_parameter",
    "get_submodule",
    "half",
    "ipu",
    "load_state_dict",
    "modules",
    "mtia",
    "named_buffers",
    "named_children",
    "named_modules",
    "named_parameters",
    "parameters",
    "register_backward_hook",
    "register_buffer",
    "register_forward_hook",
    "register_forward_pre_hook",
    "register_full_backward_hook",
    "register_full_backward_pre_hook",
    "register_load_state_dict_post_hook",
    "register_load_state_dict_pre_hook",
    "register_module",
    "register_parameter",
    "register_state_dict_post_hook",
    "register_state_dict_pre_hook",
    "requires_grad_",
    "reset_parameters",
    "set_extra_state",
    "set_submodule",
    "share_memory",
    "state_dict",
    "to",
    "to_empty",
    "train",
    "training",
    "type",
    "xpu",
    "zero_grad",
]
_RESERVED = frozenset(
    (
        *keyword.kwlist,
        *keyword.softkwlist,
        *dir(builtins),
        *_MODULE,
        "self",
        "torch",
        "nn",
        "F",
        "Tensor",
        "math",
        "NamedTuple",
    )
)
_LONGEST = 64


class Names:
    """Names in one scope; those asked for twice get a number."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def fresh(self, hint: str) -> str:
        """A name like `hint` that is a free identifier, not a keyword, a builtin or what torch's modules use."""
        word = re.sub(r"[^A-Za-z0-9_]", "_", hint)[:_LONGEST].lstrip("_") or "value"
        if word[0].isdigit():
            word = f"value_{word}"
        name, number = word, 2
        while name in self._taken or name in _RESERVED:
            name, number = f"{word}_{number}", number + 1
        self._taken.add(name)
        return name

    def release(self, name: str) -> None:
        """Give back a name that nothing uses."""
        self._taken.discard(name)


def camel(word: str) -> str:
    """A class's name: `set_classifier` is `SetClassifier`; capitals that are there stay."""
    parts = [part for part in word.split("_") if part]
    return "".join(part[0].upper() + part[1:] for part in parts) or "Block"


def attribute(name: str) -> str:
    """A parameter's, submodule's or size's name where torch's modules, keywords and builtins leave it free."""
    return f"{name}_" if name in _RESERVED or name.startswith("_") else name
