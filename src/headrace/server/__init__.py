"""The HTTP surface: routes and websockets over the two gateway protocols, which it is given. Nothing is decided here."""
