"""English words that carry no wish by themselves, and the few that name people, occasions and sizes."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FILLERS = _words(
    """
    a an the this that these those it its they them their there here i im i'm i'd i'll i've id ill ive me my
    mine we us our you your yours he she his him her hers who what whats what's which where when how why whose
    is isn't are aren't was were be been being am do does did done don't dont doesn't didn't have has had having
    haven't hasn't can cant can't could couldn't would wouldn't will won't shall should may might must of in on
    at to from by with for as into onto than then so too also and or but if because about up down out off over
    under again very really quite just only even still already maybe perhaps please pls plz kindly thanks thank
    ok okay yes yeah yep sure well oh hey hi hello actually instead rather else any anything anyone some
    something someone somewhere thing things stuff item items product products article articles piece pieces one
    ones kind kinds sort sorts type types way lot bit few many much more most less least other others another
    all both each every whole same such like likes liked love loves want wants wanted wanna need needs needed
    looking look looks search searching find finding show showing see give get getting got buy buying bought
    purchase purchasing order recommend recommends recommendation recommendations suggest suggestion suggestions
    idea ideas option options choice choices help let's lets let try know think say tell go going gonna come
    comes came make makes take bring put use used using keep prefer preferably ideally hope wish wishes
    wondering interested hunting after nice good great lovely cool best better perfect decent amazing awesome
    fine favourite favorite right suitable not no none nothing never without except excluding nor neither non
    mind care matter matters whatever available stock shop store sell sells selling carry carries catalogue
    catalog website now today soon moment time new newer old offer offers range list around between below above
    per price priced prices cost costs costing worth money budget euro euros eur dollar dollars usd pound pounds
    gbp bucks quid cheap cheaper cheapest expensive pricey affordable inexpensive first second third fourth
    fifth sixth seventh eighth ninth tenth last next previous two three four five rated rating ratings review
    reviews reviewed stars star top highest lowest colour color version gift gifts present presents surprise
    watch want've ever hmm hm um uh eh er lol mean means thats that's theres there's heres here's shes he's hes
    she's doing able possible possibly probably definitely absolutely totally else's fit fits suit suits match
    matches matching set side treat myself yourself himself free made making compare compared comparison
    comparing difference differences versus vs wait kinda sorta page herself themselves ourselves person dear
    directed starring starred acted played loved liked enjoyed hated minutes hours years
    different discount watched watching seen saw reading playing played similar resemble resembling everything
    goes go well together u ur smth sth teh gimme lemme dunno
    though although while during since until unless however otherwise whether either besides apart per via within
    upon toward towards across along among amongst inside outside onto near next hate hates hated dislike dislikes
    detest despise prefers preferred wants adore adores enjoy enjoys enjoying wears drinks reads collects
    too bit quite fairly pretty rather somewhat slightly extra plus minus
    maybe exactly basically literally honestly obviously apparently
    popular trending bestseller bestsellers bestselling picks pick inspire browsing
    mood feel feeling
    nd rd th fancy tonight evening weekend
    we've we're we'll we'd you've you're you'll they've they're they'll she'll he'll it'll it'd that'd
    sir madam sorry excuse pardon welcome wear wearing
    """
)
"""Words left out of a query. A word of the catalogue's own facets is looked up before this list is asked."""

GENERIC_NOUNS = _words("clothes clothing garment outfit movie film flick picture title show book song album game")
"""What the things of a whole catalogue are called; left out of a query unless a facet knows them."""

SAME = {"present": "gift"}
"""Everyday words for one thing; the one on the right is read where a catalogue knows only that."""

PEOPLE = (
    r"mother|mum|mom|mummy|mommy|father|dad|daddy|parents?|wife|husband|girlfriend|boyfriend|partner|fiance|fiancee|"
    r"spouse|sons?|daughters?|kids?|child|children|toddlers?|bab(?:y|ies)|newborn|teen(?:ager)?s?|boys?|girls?|"
    r"grand(?:mother|father|ma|pa|son|daughter|parents?)|granny|nana|aunt(?:ie)?|uncle|niece|nephew|cousin|"
    r"(?:best |girl)?friends?|colleagues?|coworkers?|boss|teacher|neighbou?r|nurse|doctor|students?|"
    r"(?:little |big )?(?:sister|brother)|sister|brother|family|in-laws|women|woman|men|man|ladies|lady"
)
OCCASIONS = (
    r"birthday|wedding|anniversary|christmas|xmas|valentine'?s?(?: day)?|mother'?s day|father'?s day|easter|halloween|"
    r"house ?warming|graduation|retirement|baby shower|engagement|farewell|"
    r"date night|movie night|family night|hanukkah|diwali|eid|new year(?:'?s)?(?: eve)?"
)

OCCASION_PHRASES = (
    (r"(?:gets?|getting|got|be|being) married|marrying|(?:the |a |my )?bride(?:smaid)?", "wedding"),
    (r"(?:turns|turning|turned) (?:\d\d|sixteen|eighteen|twenty|thirty|forty|fifty|sixty|seventy|eighty)\b",
     "birthday"),
    (r"(?:is |are )?expecting(?: a (?:baby|child))?|having a baby", "baby shower"),
    (r"graduat(?:es|ing|ed)", "graduation"), (r"retir(?:es|ing|ed)", "retirement"),
    (r"mov(?:ed|ing) (?:house|home|in|into (?:a|her|his|their|our|my) (?:new )?(?:house|home|flat|apartment))",
     "housewarming"),
    (r"(?:throw|have|having|host|hosting|give|giving) (?:a|my|our) (?:\w+ )?party", "party"),
)  # fmt: skip
"""How an occasion is told without its name, and its name."""

COMPARATIVES = {
    "bigger": "large", "larger": "large", "smaller": "small", "longer": "long", "shorter": "short", "taller": "tall",
    "wider": "wide", "thicker": "thick", "thinner": "thin", "warmer": "warm", "softer": "soft", "lighter": "light",
    "darker": "dark", "brighter": "bright", "heavier": "heavy", "simpler": "simple", "fancier": "elegant",
    "funnier": "funny", "scarier": "scary", "sadder": "sad", "happier": "happy", "cosier": "cosy", "stronger": "strong",
    "rounder": "round", "sturdier": "sturdy", "quieter": "quiet", "older": "old", "plainer": "plain",
}  # fmt: skip
OPPOSITES = {
    "large": "small", "small": "large", "long": "short", "short": "long", "tall": "short", "thick": "thin",
    "thin": "thick", "warm": "light", "light": "dark", "dark": "light", "bright": "dark", "heavy": "light",
    "simple": "elegant", "elegant": "simple", "funny": "sad", "sad": "funny", "old": "new",
}  # fmt: skip

UNITS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
        "ninety": 90}  # fmt: skip
ORDINALS = {
    "first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "fifth": 5, "5th": 5,
    "sixth": 6, "6th": 6, "seventh": 7, "7th": 7, "eighth": 8, "8th": 8, "ninth": 9, "9th": 9, "tenth": 10, "10th": 10,
}  # fmt: skip
