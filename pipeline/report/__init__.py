"""The report: numbers into tables, sentences, pages and files; two reports compared, one verified."""
