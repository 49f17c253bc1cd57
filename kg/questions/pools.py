"""The pools of facts: what each holds, by the letter that files and reports know it by."""

TAUGHT = "T"  # told in the training text
IN_MEMORY = "M"  # in the graph, of entities that no training ever uses
INFERABLE = "I"  # hidden from graph and text
PRACTICE = "P"  # for training alone, never asked
REVERSED = "R"  # taught facts, asked from the object's side
TWO_HOP = "H"  # facts in memory, their subject described by another of its facts
SWAPPED = "S"  # facts in memory, after an edit that says another object
DELETED = "D"  # facts in memory, taken out of the graph
UNTOUCHED = "U"  # general facts, to see what is forgotten

ASKED = (TAUGHT, IN_MEMORY, INFERABLE, REVERSED, TWO_HOP, SWAPPED, DELETED, UNTOUCHED)
OF_GRAPH = (TAUGHT, IN_MEMORY, INFERABLE, PRACTICE)  # those that the graph is split into
TRAINED = (TAUGHT, PRACTICE)
EDITED = (SWAPPED, DELETED)
