"""Events of the contract: derived from the log, chosen by filters, and read from clients that report by them."""
