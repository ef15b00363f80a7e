"""The forms of words by which a clause asks for one thing rather than another."""

from __future__ import annotations

import re

COMPARE = re.compile(
    r"\b(?:compare|comparison|difference[s]? between|versus|vs)\b|"
    r"\bwhich (?:one |ones )?(?:is|are|has|have|of|do you|would|should|looks?)\b|\bwhich one\b|"
    r"\bwhat is the (?:better|best) of\b|"
    r"\bis (?:it|this|that|the \w+)(?: one)? (?:cheaper|better|more expensive) than\b"
)
AMONG = re.compile(
    r"\b(?:of|among|between|from) (?:these|those|them|"
    r"the (?:(?:first|last|top|other) )?(?:two|three|four|five|list|lot))\b"
)
SIMILAR = re.compile(
    r"\b(?:similar(?: to)?|resembl\w+|comparable to|(?:more|others?|something|anything|things|one|"
    r"ones|stuff) (?:\w+ )?like|"
    r"in the (?:style|vein|spirit) of|reminds? me of|same (?:style|look|vibe|mood|feel|design|kind|type) (?:as|of)|"
    r"looks? like|like)\b"
)
LOOK = re.compile(r"\b(?:looks?|style|design|shape|visual\w*|picture|pattern)\b")
STORY = re.compile(r"\b(?:plot|story|theme|description|topic|subject)\b")
DETAILS = re.compile(
    r"\b(?:tell me (?:more )?(?:about|on)|more (?:about|info\w*|details?) ?(?:on|about|of)?|"
    r"details?(?: of| on| about)?|describe|"
    r"what(?: is|'s| are) (?:it|that|this|the|#)|what (?:colou?rs?|sizes?|material|brand)\b|"
    r"who (?:makes|made|directed|is in|stars)|"
    r"how (?:much|big|large|tall|heavy|long|good|old|expensive)|is (?:it|this|that|the|#)|are (?:they|these|those)|"
    r"does (?:it|this|that|the)|do they|can i see|show me (?:the )?(?=#)|open|made of|what does|reviews? (?:of|for|on)|"
    r"do you have (?:it|this|that|the|#)\b)"
)
ABOUT = (
    ("price", re.compile(r"\b(?:how much|price|cost|expensive)\b")),
    ("available", re.compile(r"\b(?:in stock|available|availability|still have|sold out)\b")),
    ("rating", re.compile(r"\b(?:rating|rated|reviews?|how good|stars)\b")),
    ("brand", re.compile(r"\b(?:brand|who makes|who made|made by|maker)\b")),
    ("material", re.compile(r"\b(?:material|made of|made from)\b")),
    ("colour", re.compile(r"\bcolou?rs?\b")),
    ("size", re.compile(r"\b(?:sizes?|how (?:big|large|tall|long))\b")),
    ("director", re.compile(r"\b(?:who directed|directors?)\b")),
    ("description", re.compile(r"\babout\W*$|\b(?:plot|story(?:line)?|synopsis|what happens)\b")),
    ("actors", re.compile(r"\b(?:who (?:is|stars?) in|who stars|actors?|cast)\b")),
)
HISTORY = re.compile(
    r"\b(?:what (?:did|have) i (?:buy|bought|order|ordered|purchase|purchased|get|look(?:ed)? at|view|"
    r"viewed|watch|watched|see|seen|rate|rated)"
    r"|my (?:(?:last|past|previous|recent|earlier|old) )?(?:orders?|purchases?|history|order history|"
    r"shopping history|ratings?)"
    r"|(?:things|items|stuff|what) i(?:'ve| have)? (?:bought|ordered|purchased|viewed|watched|rated|looked at)"
    r"|i (?:bought|ordered|purchased|got) (?:last time|before|last (?:week|month|year)|recently)|"
    r"last time i (?:bought|ordered))\b"
)
BOUGHT = re.compile(r"\b(?:buy|bought|orders?|ordered|purchased?|purchases|got|get)\b")
LAST = re.compile(r"\blast (?:time|order|purchase|one|thing|item)\b|\blatest\b|\bmost recent\b")
LIKE_PAST = re.compile(r"\b(?:like|similar|based on|goes with|go with|match)\b")
COUNT = re.compile(r"\b(?:how many|number of|count of|total (?:number|amount) of)\b")
DEAREST = re.compile(
    r"\b(?:most expensive|priciest|dearest|costliest|highest[ -]priced?|highest price|most luxurious)\b"
)
CHEAPEST = re.compile(
    r"\b(?:what(?: is|'s| are)|which(?: is| one is)?|whats)\b.{0,20}\b(?:the )?(?:cheapest|"
    r"least expensive|lowest[ -]priced?|lowest price)\b"
)
HAVE = re.compile(
    r"\b(?:you (?:have|sell|carry|stock|offer|got)|you've got|in (?:the|your) (?:shop|store|catalogue|"
    r"catalog|range)|overall|in total)\b"
)
PRICES = re.compile(
    r"\b(?:price range|prices?(?: of| for| are)|how much (?:do|does|are|is)|what do .{1,40} cost|average price|"
    r"how expensive are|cost of|typical price)\b"
)
VALUES = re.compile(
    r"\b(?:what|which)(?: (?:are|is) (?:the|your))?(?: (?:other|different|available|"
    r"all))? (?P<facet>[a-z]+)\b(?! (?:one|of (?:these|those|them)))"
    r"(?=.*\b(?:do|are|is|does|you|come|have|available|there|can)\b)"
)
SELL = re.compile(
    r"\bwhat (?:do|else do|all do|kind of (?:things|stuff|products) do) you (?:sell|have|carry|stock|"
    r"offer|got)\b(?: here)?\??$|"
    r"\bwhat have you (?:got|here|in stock)\b(?: here)?\??$|"
    r"\bwhat(?:'s| is) in (?:the|your) (?:shop|store|catalogue|catalog)\b"
)
CARRIES = re.compile(
    r"\b(?:do|does|did|are|is|got|have)\b.{0,20}\b(?:you|there|shop|store)\b.{0,12}\b(?:have|carry|"
    r"sell|stock|offer|got|any)\b|\bgot any\b"
)
MORE = re.compile(
    r"\b(?:(?:show|see|give|want|any|some|got|are there|find)(?: me)?(?: some| any)? (?:more|others?|"
    r"other (?:ones|options|choices|things|ideas))"
    r"|anything else|something else|what else|else do you have|next(?: page| ones| please)?$|"
    r"more(?: please| options| of (?:these|those|them)| results| ideas)?$|"
    r"others?(?: please)?$|other (?:options|choices|ideas|suggestions)|keep going|different ones|"
    r"show more|none of (?:these|those|them)|"
    r"i'?ve seen (?:these|those|them)|another(?: one)?$)"
)
RECOMMEND = re.compile(
    r"\b(?:recommend\w*|suggest\w*|surprise me|inspire me|what'?s (?:popular|new|hot|trending|good)|"
    r"popular|best[ -]?sell\w+|trending|"
    r"picks? for me|for me\b|something (?:i'd|i would|i'll|i might) (?:like|love|enjoy)|"
    r"what (?:should|could|would) i (?:buy|get|watch|try|like)|"
    r"your (?:favou?rites?|picks?|bestsellers?)|just browsing|anything (?:good|nice)|what do you think i)\b"
)
NEED = re.compile(
    r"\b(?:i (?:need|want|am looking|would like|wish|require|am after|am searching|could use)|"
    r"i'?m (?:looking|after|searching|shopping)|"
    r"i'?d (?:like|love)|looking for|searching for|shopping for|help me (?:find|choose|pick)|find me|"
    r"show me|get me|give me|"
    r"do you (?:have|sell|carry|stock)|is there|are there|got any|need|want|gift|present|"
    r"can i (?:have|get|see)|i'?ll (?:have|take))\b"
)
ANEW = re.compile(
    r"\b(?:i need|i want|i am looking for|i'm looking for|looking for|i'd (?:like|love)|show me|"
    r"find me|do you (?:have|sell|carry|stock)|"
    r"is there|are there|i also need|searching for|get me|give me|now)\s+(?:also |to (?:see|buy|find|"
    r"get) )?(?:(?:a|an|some|the|any|your|new|all)\s+)*"
    r"(?!(?:something|anything|one|ones|it|them|these|those|that|this|more|others?|other|similar|"
    r"cheaper|in)\b)(?P<noun>[a-z])"
)
SWAP = re.compile(
    r"\b(?:instead(?! of)|actually|rather|make (?:it|that)|change (?:it|that) to|switch to|"
    r"what about|how about|let'?s (?:do|try|see))\b|^(?:and|or|but)\b"
)
PRAISE = re.compile(
    r"\b(?:i (?:really |just |absolutely )?(?:love|like|adore)|love|gorgeous|beautiful|stunning|"
    r"perfect|amazing|great|i'?m a fan of|good choice|favou?rite)\b"
)
LOVED = re.compile(r"\bi (?:really |just |absolutely )?(?:loved?|liked?|enjoy(?:ed)?|adored?)\s+")
DISLIKE = re.compile(
    r"\b(?:(?:i )?(?:really |just |absolutely )?(?:hate|dislike|detest|can'?t stand)|(?:i )?(?:don'?t|"
    r"do not|didn'?t) (?:really )?(?:like|love|want|care for)|"
    r"not (?=(?:this|the|#|it\b|that(?: one| item| thing)?\W*$))|ugly|awful|horrible|hideous|terrible|"
    r"not (?:for me|my (?:style|taste|thing))|no to|get rid of|remove|boring)\b"
)
COMPLAINT = re.compile(
    r"\b(?:broke(?:n)?|damaged|defective|faulty|fell apart|stopped working|wrong (?:item|size|"
    r"colou?r) arrived|complain\w*|complaint)\b"
)
STARS = re.compile(
    r"\b(?:i(?:'d| would)? (?:give|rate)|rate|rating)\b.*?\b(?P<stars>[1-5])(?:\s*(?:/|out of)\s*5|"
    r"\s*stars?)?\b|\b(?P<only>[1-5])\s*stars? (?:for|to)\b"
)
