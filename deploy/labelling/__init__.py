"""What an index and a classifier say together of an image: neither of the two knows the other."""
