"""The last import of the fork server: what it has imported leaves the collector's sight, in it and in every worker.

A collection writes to each object it looks at, and so would copy the pages that workers share. Only the fork server
imports this module (`api.preloading`), for what the import does.
"""

import gc

gc.collect()
gc.freeze()
