"""Rules that are kept elsewhere and make no doubts: merchants see them beside the others. Pure.

Who buys through their own link earns nothing where the policy says so (attribution.md, rule 2). A machine that says
that it is one is no visitor at all, so there is nothing of it that could be doubted.
"""

from typing import Final

from app.trust.found import About
from app.trust.rules.rule import Do, Rule

RULES: Final = (
    Rule("own_visitor", (About.VISIT, About.ORDER), Do.REFUSE, fixed="policy"),
    Rule("own_person", (About.VISIT, About.ORDER), Do.REFUSE, fixed="policy"),
    Rule("crawler", (About.VISIT,), Do.REFUSE, fixed="always"),
)
