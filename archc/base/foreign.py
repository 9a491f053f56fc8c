"""What other languages and libraries call the things that this one has under a name of its own."""

from __future__ import annotations

from collections.abc import Iterable

_NAMES = {
    "layer": "linear dense fc affine fully_connected perceptron",
    "weight": "linear dense fc affine",
    "conv": "conv1d conv2d conv3d convolution convolve",
    "conv_transpose": "conv_transpose1d conv_transpose2d conv_transpose3d deconv deconvolution",
    "norm": "layer_norm layer_normalization normalize",
    "batch_norm": "batch_norm1d batch_norm2d batch_norm3d batch_normalization",
    "attention": "multihead_attention multi_head_attention self_attention scaled_dot_product_attention mha",
    "encoder": "transformer transformer_encoder transformer_encoder_layer transformer_block",
    "embedding": "embed embeddings lookup",
    "pool_max": "max_pool max_pool1d max_pool2d max_pool3d",
    "pool_mean": "avg_pool avg_pool1d avg_pool2d avg_pool3d average_pool",
    "upsample": "interpolate resize",
    "concat": "cat concatenate hstack vstack",
    "merge": "flatten",
    "split": "unflatten chunk",
    "topk": "top_k",
    "silu": "swish",
    "sigmoid": "logistic",
    "stop_gradient": "detach stopgrad",
    "normal": "gauss randn",
    "glorot": "xavier xavier_uniform xavier_normal glorot_uniform",
    "kaiming": "he he_uniform kaiming_uniform kaiming_normal",
    "zero": "zeros",
    "one": "ones",
    "int": "integer long int32 int64",
    "real": "float double float32 float64 number tensor",
    "bool": "boolean",
}
_WRITTEN = {
    "write the sum that is meant, as in `sum k: a * b`": "matmul mm bmm dot einsum inner",
    "name both axes in an arrow: `merge((h, w) -> d)` or `split(d -> (h: 4, w))`": "reshape view rearrange",
    "axes have names, and their order means nothing": "transpose permute movedim swapaxes",
    "a choice between values is `where(condition, a, b)`": "cond ifelse ternary iif",
}


def _by_word(table: dict[str, str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for here, words in table.items():
        for word in words.split():
            key = word.replace("_", "")
            found[key] = (*found.get(key, ()), here)
    return found


_HERE, _INSTEAD = _by_word(_NAMES), _by_word(_WRITTEN)


def translated(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that is called `word` elsewhere."""
    here = _HERE.get(_key(word), ())
    known = set(candidates) if here else set()
    return next((name for name in here if name in known), None)


def instead(word: str) -> str:
    """What is written here for something that has no name, where `word` is a name of it elsewhere; or nothing."""
    return next(iter(_INSTEAD.get(_key(word), ())), "")


def _key(word: str) -> str:
    return word.rsplit(".", 1)[-1].replace("_", "").lower()
