"""What reasons say besides, over records whose categories are marks side by side."""

from __future__ import annotations

from agent.explanation import Explainer
from agent.explanation_more import usage
from agent.gate.grounds import Grounds
from agent.gate.vocabulary import ShopWords
from agent.handles import HandleBook
from agent.trace import ToolRun
from catalog.items import Catalog
from catalog.nouns import Item


def film(number: int, title: str, kinds: str, director: str, actors: str = "", country: str = "USA") -> Item:
    return Item(
        str(number), title=title, categories=tuple(kinds.split()),
        attributes={"director": (director,), "actors": tuple(actors.split(", ")), "country": (country,)},
    )  # fmt: skip


FILMS = Catalog([
    film(1, "Heat", "Action Crime", "Michael Mann", "Al Pacino, Robert De Niro"),
    film(2, "Unforgiven", "Drama Western", "Clint Eastwood", "Clint Eastwood, Gene Hackman"),
    film(3, "Collateral", "Action Drama", "Michael Mann", "Tom Cruise, Jamie Foxx"),
    film(4, "Scarface", "Crime Drama", "Brian De Palma", "Al Pacino, Steven Bauer"),
    film(5, "Tombstone", "Action Western", "George P. Cosmatos", "Kurt Russell, Val Kilmer"),
    *(film(n, f"Film {n}", "Drama", f"Nobody {n}") for n in range(6, 30)),
])  # fmt: skip


def reasons(said: str, ids: list[str], **arguments: object) -> dict[str, str]:
    grounds = Grounds(FILMS, {}, HandleBook(FILMS), ShopWords.of(FILMS))
    grounds.heard(said)
    found = Explainer(grounds).explain(ids, ToolRun("search_items", arguments, items=tuple(ids)))
    return {item_id: each.reason for item_id, each in found.items()}


def test_marks_side_by_side_are_told_together_the_one_asked_for_first() -> None:
    told = reasons("a drama", ["4", "3"], filters={"category": ["Drama"]})
    assert told == {
        "4": "Drama and Crime; directed by Brian De Palma.", "3": "Drama and Action; directed by Michael Mann."
    }  # fmt: skip


def test_a_person_of_whom_only_the_last_name_was_said_was_asked_for() -> None:
    told = reasons("something with pacino", ["1"], filters={"attributes": {"actors": ["Al Pacino"]}})
    assert told["1"] == "Al Pacino, as you asked; Action and Crime."


def test_nobody_is_named_twice() -> None:
    told = reasons("a western with Clint Eastwood", ["2", "5"], filters={"attributes": {"actors": ["Clint Eastwood"]}})
    assert told["2"].count("Clint Eastwood") == 1


def test_a_title_that_was_asked_for_is_no_reason() -> None:
    assert "says" not in reasons("heat", ["1"], query="heat")["1"], "who asks for a title knows what it says"


def test_how_a_catalogue_uses_its_categories_is_seen_from_its_items() -> None:
    assert usage(FILMS.items).flat
    bags = [Item(str(n), title="Bag", categories=("Bags", ("Handbags", "Backpacks")[n % 2])) for n in range(20)]
    assert not usage(bags).flat
    assert ("country", "USA") in usage(FILMS.items).commonplace
    assert ("director", "Michael Mann") not in usage(FILMS.items).commonplace


def test_a_word_that_says_nothing_alone_is_told_beside_one_that_does() -> None:
    wars = Catalog([Item("w", title="Star Wars: One"), Item("b", title="Best Heist")])
    grounds = Grounds(wars, {}, HandleBook(wars), ShopWords.of(wars))
    grounds.heard("the star wars films, or the best fiction")
    found = Explainer(grounds).explain(["w", "b"], ToolRun("search_items", {"query": "star wars best fiction"}))
    assert found["w"].reason.startswith("Its title says star wars") and "says" not in found["b"].reason


def test_a_makers_name_in_a_title_is_no_reason_unless_the_maker_was_meant() -> None:
    works = Catalog(
        [
            Item("a", title="Amberley Works bag", description="From Amberley Works.", brand="Amberley Works"),
            Item("b", title="Work bag"),
        ]
    )
    grounds = Grounds(works, {}, HandleBook(works), ShopWords.of(works))
    grounds.heard("a bag for work, or amberley")
    found = Explainer(grounds).explain(["a", "b"], ToolRun("search_items", {"query": "bag work"}))
    assert "works" not in found["a"].reason and "work" in found["b"].reason.casefold()
    meant = Explainer(grounds).explain(["a"], ToolRun("search_items", {"query": "bag amberley"}))
    assert "amberley" in meant["a"].reason.casefold()
