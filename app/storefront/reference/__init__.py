"""The API's page, `/docs`: the OpenAPI document for eyes. No script, nobody else's server."""
