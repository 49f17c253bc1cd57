"""Terms of which there are few, as numbers."""

import pyarrow as pa


class Terms:
    """Terms of which there are few (predicates, datatypes, languages, graphs), numbered as they come."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def encode(self, column: pa.ChunkedArray) -> pa.Array:
        """The number of each term; int32."""
        encoded = column.combine_chunks()
        if not isinstance(encoded, pa.DictionaryArray):
            encoded = encoded.dictionary_encode()
        numbers = self.numbers
        known = [numbers.setdefault(t, len(numbers)) for t in encoded.dictionary.to_pylist()]
        return pa.array(known, pa.int32()).take(encoded.indices)

    def by_number(self) -> list[str]:
        return list(self.numbers)
