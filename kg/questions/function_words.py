"""Words that carry grammar and no meaning of their own."""

_ENGLISH = """
a about above after again against all also although am among an and another any are as at be
because been before being below between both but by can cannot could did do does doing done down
during each either else ever every few for from further had has have having he her here hers him
his how however i if in into is it its itself just least less like made make many may me might
more most much must my near neither never next no nor not now of off often on once one only or
other others our out over own per rather same several she should since so some such than that
the their them then there these they this those through thus to together too toward towards two
under until up upon us use used using very via was we were what when where whether which while
who whom whose why will with within without would yet you your
"""
_BETWEEN_WORDS_OF_A_NAME = """
of the a an in at on for Of The In At On For de la le du des der del di da von
"""

# English words such that a name made of these alone is no evidence that it was meant.
FUNCTION_WORDS = frozenset(_ENGLISH.split())

# Left out when words are matched in any order; only as written here, so "vitamin A" keeps its A.
ORDER_STOP_WORDS = frozenset(_BETWEEN_WORDS_OF_A_NAME.split())

# Between the members of a coordination: "aplastic or hypoplastic nails".
CONJUNCTIONS = frozenset(["and", "or", "nor", "und", "oder", "et", "ou"])
