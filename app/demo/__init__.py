"""The code of the demo page: between the document and the library. Runs in the browser only."""
