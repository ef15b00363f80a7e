"""`attribute_table`: what the shop states of its items (brand, categories, attributes, title words) as vectors."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from scipy import sparse

from catalog.ids import IdMap
from catalog.nouns import Item
from catalog.vectors import EmbeddingTable, Floats

SPACE = "attributes"
Token = tuple[str, str]


def attribute_table(items: Sequence[Item], *, dims: int = 512, min_items: int = 2) -> EmbeddingTable:
    """Return TF-IDF vectors of the items' stated facts, cut to their leading directions; deterministic.

    A token is a field and one of its values: the brand, each category, each value of each attribute, each word of the
    title. Its weight is `log(n_items / items that have it)`; rows are brought to length 1 before the cut
    (latent semantic indexing: Deerwester et al. 1990), so that inner products approximate their cosines.

    Args:
        items: The catalogue; an item without a usable token has a row of zeros.
        dims: Most columns; fewer where the facts have fewer directions.
        min_items: Tokens of fewer items are left out: they cannot make two items alike.
    """
    ids = IdMap(item.item_id for item in items)
    facts = [sorted(set(_tokens(item))) for item in items]
    counts = Counter(token for row in facts for token in row)
    kept = {t: at for at, t in enumerate(sorted(t for t, n in counts.items() if min_items <= n < len(items)))}
    known = [(row, token) for row, tokens in enumerate(facts) for token in tokens if token in kept]
    cells = [(row, kept[token], np.log(len(items) / counts[token])) for row, token in known]
    if not cells:
        return EmbeddingTable(ids, np.zeros((len(ids), 1), np.float32), SPACE)
    rows, columns, values = (np.asarray(part) for part in zip(*cells, strict=True))
    table = sparse.csr_array((values.astype(np.float32), (rows, columns)), shape=(len(items), len(kept)))
    lengths = np.sqrt(np.asarray(table.multiply(table).sum(axis=1))).ravel()
    unit = sparse.csr_array(sparse.diags_array(1 / np.maximum(lengths, 1e-12)).astype(np.float32) @ table)
    return EmbeddingTable(ids, _leading(unit, dims), SPACE)


def _tokens(item: Item) -> Iterator[Token]:
    if item.brand:
        yield "brand", item.brand.casefold()
    for category in item.categories:
        yield "category", category.casefold()
    for name, values in item.attributes.items():
        for value in values:
            yield f"attribute {name}", value.casefold()
    for word in re.findall(r"\w+", (item.title or "").casefold()):
        yield "title", word


def _leading(table: sparse.csr_array, dims: int) -> Floats:
    """Return the rows in the basis of the leading right singular vectors, (n, dims) float32."""
    from scipy.sparse.linalg import svds

    if min(table.shape) <= dims + 1:
        return np.asarray(table.toarray(), np.float32) if table.shape[1] <= dims else _dense_leading(table, dims)
    left, sizes, _ = svds(table, k=dims, v0=np.ones(min(table.shape), np.float32))
    return np.ascontiguousarray((left * sizes)[:, ::-1], np.float32)


def _dense_leading(table: sparse.csr_array, dims: int) -> Floats:
    left, sizes, _ = np.linalg.svd(table.toarray(), full_matrices=False)
    return np.ascontiguousarray((left * sizes)[:, :dims], np.float32)
