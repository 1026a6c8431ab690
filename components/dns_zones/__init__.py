"""DNS zones behind one small interface: the program says what a record is, a zone knows how its provider writes it."""
