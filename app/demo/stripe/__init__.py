"""The double of Stripe: an HTTP server to which the real `stripe` library speaks, and no money moves.

`double.StripeDouble` is the whole of it; `server.running` serves it. Only `grapevine demo` and tests may import
this package: nothing that serves a real shop knows it. It knows no domain of Grapevine, so that it can be wrong
only about Stripe, never in the same way as the code it tests.

`records/` is what it holds, `shown/` how Stripe shows it, `parameters/` what may be asked and `operations/` the API;
the files beside them are the rules, each of one thing that happens to money.
"""
