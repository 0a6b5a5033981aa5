"""A synthetic Shandong: an invented province with the published totals, the same for the same seed.

`drawing` decides everything that must add up for the whole province; `feeding` turns it into rows of the
feeds, insurer by insurer; `loading` delivers them through the feeds' own checks and publishing. Nothing but
`loading` and `people` touches a database.
"""
