"""`attribute_table`: what the shop states of its items (brand, categories, attributes, title words) as vectors."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from scipy import sparse

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.nouns import Item
from catalog.vectors import EmbeddingTable, Floats

SPACE = "attributes"
DIMS, MIN_ITEMS = 512, 2
TOKENS_FILE, DIRECTIONS_FILE = "basis.parquet", "basis.npy"
Token = tuple[str, str]


def attribute_table(items: Sequence[Item], *, dims: int = DIMS, min_items: int = MIN_ITEMS) -> EmbeddingTable:
    """Return TF-IDF vectors of the items' stated facts, cut to their leading directions; deterministic.

    A token is a field and one of its values: the brand, each category, each value of each attribute, each word of the
    title. Its weight is `log(n_items / items that have it)`; rows are brought to length 1 before the cut
    (latent semantic indexing: Deerwester et al. 1990), so that inner products approximate their cosines.

    Args:
        items: The catalogue; an item without a usable token has a row of zeros.
        dims: Most columns; fewer where the facts have fewer directions.
        min_items: Tokens of fewer items are left out: they cannot make two items alike.
    """
    return fit_attributes(items, dims=dims, min_items=min_items)[0]


def fit_attributes(
    items: Sequence[Item], *, dims: int = DIMS, min_items: int = MIN_ITEMS
) -> tuple[EmbeddingTable, AttributeBasis]:
    """Return what `attribute_table` returns, and the basis in which items that come later get their vectors."""
    facts = [attribute_facts(item) for item in items]
    counts = Counter(token for row in facts for token in row)
    tokens = tuple(sorted(t for t, n in counts.items() if min_items <= n < len(items)))
    weights = np.asarray([np.log(len(items) / counts[token]) for token in tokens]).astype(np.float32)
    unit = _unit_rows(facts, {token: at for at, token in enumerate(tokens)}, weights)
    vectors, directions = _leading(unit, dims) if unit.nnz else _nothing(len(items))
    table = EmbeddingTable(IdMap(item.item_id for item in items), vectors, SPACE)
    return table, AttributeBasis(tokens, weights, directions)


@dataclass(frozen=True, eq=False)
class AttributeBasis:
    """Where the rows of an attribute table lie: its tokens, and the directions it was cut to.

    Attributes:
        tokens: Field and value of each column of the uncut table.
        weights: (t,) float32, a token's weight.
        directions: (t, d) float32, the leading right singular vectors.

    Raises:
        DataError: When the sizes disagree.
    """

    tokens: tuple[Token, ...]
    weights: Floats
    directions: Floats

    def __post_init__(self) -> None:
        if not len(self.tokens) == len(self.weights) == len(self.directions):
            raise DataError(
                f"attribute basis of {len(self.tokens)} tokens with {len(self.weights)} weights and "
                f"{len(self.directions)} rows of directions; as many of each would be valid"
            )

    def fold(self, items: Sequence[Item]) -> EmbeddingTable:
        """Return the vectors (n, d) of any items in this basis; zeros for one that states no known token.

        An item the basis was made of gets its own row of the table, to the last few bits.

        Source: folding-in, Deerwester et al. 1990, "Indexing by latent semantic analysis", `D = X' T` of section 3.
        """
        unit = _unit_rows([attribute_facts(item) for item in items], self._columns, self.weights)
        vectors = np.ascontiguousarray(unit @ self.directions, np.float32)
        return EmbeddingTable(IdMap(item.item_id for item in items), vectors, SPACE)

    def save(self, folder: Path) -> None:
        """Write `basis.parquet` and `basis.npy` into an existing folder."""
        named = {"field": [field for field, _ in self.tokens], "value": [value for _, value in self.tokens]}
        schema = {"field": pl.String, "value": pl.String, "weight": pl.Float32}
        pl.DataFrame({**named, "weight": self.weights}, schema=schema).write_parquet(folder / TOKENS_FILE)
        np.save(folder / DIRECTIONS_FILE, self.directions, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> AttributeBasis:
        """Read what `save` wrote."""
        named = pl.read_parquet(folder / TOKENS_FILE)
        tokens = tuple(zip(named["field"].to_list(), named["value"].to_list(), strict=True))
        return cls(tokens, named["weight"].to_numpy(), np.load(folder / DIRECTIONS_FILE, allow_pickle=False))

    @staticmethod
    def stands_in(folder: Path) -> bool:
        """Whether a basis was saved in `folder`."""
        return (folder / TOKENS_FILE).is_file()

    @cached_property
    def _columns(self) -> Mapping[Token, int]:
        return {token: at for at, token in enumerate(self.tokens)}


def attribute_facts(item: Item) -> list[Token]:
    """Return the tokens of an item, each once, in order."""
    return sorted(set(_tokens(item)))


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


def _unit_rows(facts: Sequence[Sequence[Token]], columns: Mapping[Token, int], weights: Floats) -> sparse.csr_array:
    """Return each row's known tokens by weight, at length 1, (n, t) float32."""
    cells = [(row, columns[token]) for row, tokens in enumerate(facts) for token in tokens if token in columns]
    rows, at = np.asarray(cells, np.int64).reshape(-1, 2).T
    table = sparse.csr_array((weights[at], (rows, at)), shape=(len(facts), len(columns)))
    lengths = np.sqrt(np.asarray(table.multiply(table).sum(axis=1))).ravel()
    return sparse.csr_array(sparse.diags_array(1 / np.maximum(lengths, 1e-12)).astype(np.float32) @ table)


def _nothing(n_items: int) -> tuple[Floats, Floats]:
    return np.zeros((n_items, 1), np.float32), np.zeros((0, 1), np.float32)


def _leading(table: sparse.csr_array, dims: int) -> tuple[Floats, Floats]:
    """Return the rows in the basis of the leading right singular vectors, (n, d) float32, and that basis (t, d)."""
    from scipy.sparse.linalg import svds

    if min(table.shape) > dims + 1:
        left, sizes, right = svds(table, k=dims, v0=np.ones(min(table.shape), np.float32))
        left, sizes, right = left[:, ::-1], sizes[::-1], right[::-1]
    elif table.shape[1] > dims:
        left, sizes, right = np.linalg.svd(table.toarray(), full_matrices=False)
    else:
        return np.asarray(table.toarray(), np.float32), np.eye(table.shape[1], dtype=np.float32)
    rows = np.ascontiguousarray((left * sizes)[:, :dims], np.float32)
    return rows, np.ascontiguousarray(right[:dims].T, np.float32)
