"""A real language-model server on loopback: llama.cpp's own, serving models of a quarter megabyte that tests make.

`scripted`: the reply is one token of the vocabulary. With attention at zero, the state after a token depends on that
token alone; the output matrix prefers the reply after anything else, and the end after the reply. `untrained`: random
weights, which give JSON of the right form under a schema and nonsense inside. The server does all that it does for a
large model: HTTP, templates, tokens, the limit of the context, grammars, streams.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

CONTEXT = 16384
_WIDTH = 64  # of the embedding: a reply needs two of its directions
_CHAT = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant: "
Matrix = Callable[..., np.ndarray]


def _letters() -> list[str]:
    """How byte-level BPE writes each of the 256 bytes: printable ones as themselves, the others from U+0100 on."""
    plain = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte if byte in plain else next(others)) for byte in range(256)]


def _spell(text: str) -> str:
    letters = _letters()
    return "".join(letters[byte] for byte in text.encode())


def _write(path: Path, replies: Sequence[str], layers: int, weights: Callable[[int, int], tuple[Any, Any, Matrix]]):
    import gguf

    letters = _letters()
    words = [*letters, _spell(" t"), *map(_spell, replies)]
    begin, end = len(words), len(words) + 1
    kinds = [gguf.TokenType.NORMAL] * len(words) + [gguf.TokenType.CONTROL] * 2
    file = gguf.GGUFWriter(str(path), "llama")
    file.add_context_length(32768)
    file.add_embedding_length(_WIDTH)
    file.add_feed_forward_length(_WIDTH)
    file.add_block_count(layers)
    file.add_head_count(4)
    file.add_head_count_kv(4)
    file.add_rope_dimension_count(_WIDTH // 4)
    file.add_layer_norm_rms_eps(1e-5)
    file.add_file_type(gguf.LlamaFileType.ALL_F32)
    file.add_tokenizer_model("gpt2")
    file.add_tokenizer_pre("gpt-2")
    file.add_token_list([*words, "<|begin|>", "<|end|>"])
    file.add_token_types(kinds)
    file.add_token_merges([f"{letters[32]} t"])  # the reader insists on one
    file.add_bos_token_id(begin)
    file.add_eos_token_id(end)
    file.add_add_bos_token(False)
    file.add_vocab_size(end + 1)
    file.add_chat_template(_CHAT)
    embedding, output, matrix = weights(end + 1, end)
    file.add_tensor("token_embd.weight", embedding)
    file.add_tensor("output.weight", output)
    file.add_tensor("output_norm.weight", np.ones(_WIDTH, np.float32))
    for layer in range(layers):
        for name in ("attn_norm", "ffn_norm"):
            file.add_tensor(f"blk.{layer}.{name}.weight", np.ones(_WIDTH, np.float32))
        for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
            file.add_tensor(f"blk.{layer}.{name}.weight", matrix(_WIDTH, _WIDTH))
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()


def scripted(path: Path, reply: str) -> Path:
    """A model whose every greedy answer is exactly `reply`."""

    def weights(vocabulary: int, end: int) -> tuple[Any, Any, Matrix]:
        said = 257  # the reply's place: after 256 bytes and the one merge
        embedding = np.zeros((vocabulary, _WIDTH), np.float32)
        embedding[:, 0] = 1.0
        embedding[said, :2] = (0.0, 1.0)
        output = np.zeros((vocabulary, _WIDTH), np.float32)
        output[said, 0] = output[end, 1] = 5.0
        return embedding, output, lambda *shape: np.zeros(shape, np.float32)

    _write(path, [reply], 1, weights)
    return path


def untrained(path: Path, seed: int = 0) -> Path:
    """A model of random weights."""
    rng = np.random.default_rng(seed)

    def matrix(*shape: int) -> np.ndarray:
        return (rng.standard_normal(shape) * 0.05).astype(np.float32)

    _write(path, [], 2, lambda vocabulary, _end: (matrix(vocabulary, _WIDTH), matrix(vocabulary, _WIDTH), matrix))
    return path


@contextmanager
def served(path: Path, context: int = CONTEXT) -> Iterator[str]:
    """The base URL, with `/v1`, of a server of the model in a file."""
    import xllamacpp

    options = xllamacpp.CommonParams()
    options.model.path = str(path)
    options.n_ctx, options.n_parallel, options.warmup = context, 1, False
    options.hostnames, options.port, options.n_threads_http = ["127.0.0.1"], 0, 3
    options.cpuparams.n_threads = 1
    server = xllamacpp.Server(options)
    try:
        yield f"{server.listening_address}/v1"
    finally:
        del server
