"""Everything kept: tables, units of work, queries per aggregate. Knows no rules and decides nothing."""
