"""What goes in comes out: the suite that every other suite rests on."""
