"""A thin typed client of the shop's HTTP service (`docs/client.md`): httpx and pydantic, nothing else of Vitrine."""

from vitrine.client.answers import Answer, ChatAnswer, Found, Item, Listed, Recommendation
from vitrine.client.asynchronous import AsyncClient
from vitrine.client.errors import ClientError, Refused, Unreachable
from vitrine.client.events import ChatEvent, Done, Problem, Recommendations, Status, Token, Transcript
from vitrine.client.synchronous import Client

__all__ = [
    "Answer",
    "AsyncClient",
    "ChatAnswer",
    "ChatEvent",
    "Client",
    "ClientError",
    "Done",
    "Found",
    "Item",
    "Listed",
    "Problem",
    "Recommendation",
    "Recommendations",
    "Refused",
    "Status",
    "Token",
    "Transcript",
    "Unreachable",
]
