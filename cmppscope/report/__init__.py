"""Reports: what an Analysis says, as JSON, as text and as rows of tables. No analysis happens here."""
