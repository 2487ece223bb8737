"""Display filters: from text to the rows that pass, over PDUs, transactions, sessions and findings.

    syntax (text → tree) · fields (names → columns) · conditions (comparisons → Polars expressions) · selection (joins)

Whoever filters makes a `selection.Filter` first, which raises `errors.FilterError` before anything is read. Importing
the rooms of this package loads Polars and lark: commands do so only when a filter is asked for.
"""
