"""The ranker's features of intents: how an item meets what a shopper praised, sought, disliked and can spend."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from catalog.errors import DataError
from catalog.ids import Rows
from catalog.items import Catalog
from catalog.nouns import Item
from catalog.vectors import EmbeddingTable, Floats, unit_rows
from models.intents.user_vectors import WANTS, Embed, recency, user_vectors
from models.intents.words import IntentWords, intent_words, unit
from models.item_statistics import before

Column = npt.NDArray[Any]

AGAINST = ("complained_of", "returned")
INTENT_FEATURES = (
    "intent_praised",
    "intent_sought",
    "intent_against",
    "intent_budget",
    "intent_item_praise",
    "intent_item_blame",
)
INTENT_MEANINGS = tuple(f"intent_meaning.{kind}" for kind in WANTS)
_GROUPS = {"intent_praised": ("praised",), "intent_sought": ("sought",), "intent_against": AGAINST}


class IntentFeatures:
    """Look-ups of intents as of one moment.

    An item's words are what its record says (title, categories, attributes) and what shoppers praised or sought of it;
    a shopper's are those of the intents of one kind, the newer the more. A match is the cosine of both.

    Args:
        intents: Rows of `catalog.intents.INTENTS`; those at or after `as_of` are not looked at.
        catalog: The items, whose rows the columns are asked for.
        as_of: Aware UTC.
        half_life_days: Days after which a want counts half.
        name: Name of the artifact, `intents/<name>`.
        meaning: The items' texts as vectors and what embeds a text into that space; with it an item is held against
            the meaning of what was said as well, `intent_meaning.<kind>`. None: words alone count.

    Raises:
        DataError: When `as_of` has no time zone.
    """

    def __init__(
        self,
        intents: pl.DataFrame,
        catalog: Catalog,
        *,
        as_of: datetime,
        half_life_days: float = 60.0,
        name: str = "",
        meaning: tuple[EmbeddingTable, Embed] | None = None,
    ) -> None:
        self.as_of, self.name = as_of, name
        past = before(intents, as_of)
        self._meaning: tuple[Floats, Mapping[str, EmbeddingTable]] | None = None
        if meaning is not None:
            table, embed = meaning
            vectors = user_vectors(past, embed, as_of=as_of, half_life_days=half_life_days)
            self._meaning = unit_rows(table.align(catalog.ids)[0]), vectors
        rows = [_record_words(item) for item in catalog]
        at = catalog.ids.rows(past["item_id"].to_list(), missing=-1)
        self._praise, self._blame = np.zeros(len(rows)), np.zeros(len(rows))
        for row, kind, value in zip(at.tolist(), past["kind"].to_list(), past["value"].to_list(), strict=True):
            if row < 0:
                continue
            self._praise[row] += kind == "praised"
            self._blame[row] += kind in AGAINST
            if kind in ("praised", "sought"):
                rows[row] += intent_words(value)
        self._words = IntentWords.of(rows, least=2)
        self._items = unit(self._words.vectors(rows))
        self._users = {name: self._wants(past, kinds, half_life_days) for name, kinds in _GROUPS.items()}
        self._budgets = _budgets(past)

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names in column order."""
        return (*INTENT_FEATURES, *(INTENT_MEANINGS if self._meaning is not None else ()))

    def columns(self, user_id: str | None, rows: Rows, prices: Column) -> dict[str, Column]:
        """Return the features (n,) of the items at `rows`; NaN where a shopper said nothing of the kind.

        Args:
            user_id: The shopper; None is a stranger.
            rows: Item rows of the catalogue.
            prices: Of those items, NaN where unknown.
        """
        unknown = np.full(len(rows), np.nan)
        mine = self._items[rows]
        found: dict[str, Column] = {}
        for name, wants in self._users.items():
            want = wants.get(user_id or "")
            found[name] = unknown if want is None else np.asarray((mine @ want.T).todense()).ravel()
        limit = self._budgets.get(user_id or "")
        found["intent_budget"] = unknown if limit is None else np.log1p(prices) - np.log1p(limit)
        praise, blame = self._praise[rows], self._blame[rows]
        found["intent_item_praise"] = np.log1p(praise)
        opinions = praise + blame
        found["intent_item_blame"] = np.divide(blame, opinions, out=unknown.copy(), where=opinions > 0)
        return {**found, **self._meanings(user_id, rows)}

    def _meanings(self, user_id: str | None, rows: Rows) -> dict[str, Column]:
        """Return the cosine (n,) of the items' vectors with the shopper's of each kind of intent."""
        if self._meaning is None:
            return {}
        units, vectors = self._meaning
        found: dict[str, Column] = dict.fromkeys(INTENT_MEANINGS, np.full(len(rows), np.nan))
        for kind, table in vectors.items():
            mine = None if user_id is None else table.ids.get(user_id)
            if mine is None or not table.vectors[mine].any():
                continue
            want = table.vectors[mine] / np.linalg.norm(table.vectors[mine])
            there = units[rows].any(axis=1)
            found[f"intent_meaning.{kind}"] = np.where(there, units[rows] @ want, np.nan)
        return found

    def _wants(self, past: pl.DataFrame, kinds: tuple[str, ...], half_life_days: float) -> dict[str, sparse.csr_array]:
        """Return by shopper a row (1, w) of length 1: the weighted words of their intents of some kinds."""
        mine = past.filter(pl.col("kind").is_in(kinds) & (pl.col("polarity").fill_null(1) > 0))
        if kinds == AGAINST:
            mine = past.filter(pl.col("kind").is_in(kinds))
        if not len(mine):
            return {}
        users = mine["user_id"].unique().sort()
        code = {user: at for at, user in enumerate(users.to_list())}
        values = self._words.vectors(
            [intent_words(value) for value in mine["value"].to_list()], recency(mine, self.as_of, half_life_days)
        )
        owners = np.asarray([code[user] for user in mine["user_id"].to_list()])
        gather = sparse.csr_array(
            (np.ones(len(owners)), (owners, np.arange(len(owners)))), shape=(len(users), len(owners))
        )
        total = unit(sparse.csr_array(gather @ values))
        return {user: total[[at]] for user, at in code.items() if total.indptr[at] < total.indptr[at + 1]}


def require_moment(intents: IntentFeatures, as_of: datetime) -> None:
    """Refuse intents of a later moment than the store they serve.

    Raises:
        DataError: When they know more than the store.
    """
    if intents.as_of > as_of:
        raise DataError(
            f"intents as of {intents.as_of.isoformat()} in a feature store as of {as_of.isoformat()}: they know later "
            "words; intents as of that time or earlier would be valid"
        )


def _record_words(item: Item) -> list[str]:
    stated = [value for values in item.attributes.values() for value in values]
    return [word for text in (item.title or "", *item.categories, *stated) for word in intent_words(text)]


def _budgets(past: pl.DataFrame) -> dict[str, float]:
    """Return the newest upper bound (else the newest amount) a shopper named."""
    told = past.filter((pl.col("kind") == "budget") & pl.col("amount").is_not_null() & (pl.col("aspect") != "min"))
    return dict(told.sort("timestamp", maintain_order=True).select("user_id", "amount").iter_rows())
