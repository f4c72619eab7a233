"""Where new facilities should go: most covered (MCLP), shortest average walk (p-median), fewest sites (LSCP)."""
