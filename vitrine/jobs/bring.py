"""Media that the catalogue names by URL, brought before a job reads them."""

from __future__ import annotations

from catalog.progress import Progress
from catalog.workspace import Workspace
from vitrine.jobs.scope import Scope
from vitrine.settings import Settings


def bring_media(settings: Settings, progress: Progress, scope: Scope, *, images: int, videos: int) -> list[str]:
    """Bring what is named by URL and not here yet; return a line about it where there was any."""
    from catalog.media.bringing import unfetched
    from vitrine.media import bring_store, media_line, store_urls

    if not settings.captions.job.fetch:
        return []
    urls = store_urls(settings, images=images, videos=videos)
    missing = {url: urls[url] for url in unfetched(urls, Workspace(settings.store).root)}
    if not missing:
        return []
    report = bring_store(settings, missing, progress, retry=scope.retry_all, limit=scope.limit)
    report.here = len(urls) - len(missing)
    return [media_line(report)]
