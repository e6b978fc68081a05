"""`bijdehand` itself, with a stub of Microsoft's keys and tokens: `python teams_bot.py serve`.

Its settings leave no room for other signing keys than Microsoft's, as it should be. With BENCH_WITHOUT_MODEL texts are
embedded by a hash of their words; all else stays as it is.
"""

import os
from functools import partial

from fake_connector import APP, TENANT, CannedCredentials

from bots import cli, teams
from bots.botframework import Endpoint
from core import boot
from core.confidence import Confidence
from core.embed import FakeEmbedder

REGISTERED = {
    "MICROSOFT_APP_ID": APP,
    "MICROSOFT_APP_PASSWORD": "secret",
    "MICROSOFT_APP_TENANT_ID": TENANT,
}

if __name__ == "__main__":
    os.environ |= REGISTERED
    endpoint = partial(Endpoint, keys_url=os.environ["BENCH_KEYS_URL"], credentials=CannedCredentials())
    teams.make_surface = partial(teams.make_surface, endpoint=endpoint)
    if os.environ.get("BENCH_WITHOUT_MODEL"):
        os.environ["BIJDEHAND_CACHE"] = "cache"  # what is learnt from hashes is of no use to anybody else
        boot.make_embedder = lambda *_, **__: FakeEmbedder()
        # Sure of itself where words are shared, so that as many articles are shown as with the model.
        boot.confidence_for = lambda _: Confidence(score=2.0, margin=1.0, intercept=-9.0)
    cli.main()
