"""The routes with their models, OpenAPI, and the page that documents them."""
