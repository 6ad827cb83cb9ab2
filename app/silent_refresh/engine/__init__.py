"""What becomes of a request: signed, sent, refused, renewed, sent once more. Runs in CPython as in a browser.

| pipeline.py       | the way of a request                                                  |
| renewal.py        | the single flight: one renewal, however many wait for it              |
| in_flight.py      | a task under way and its queue, told however that ends                |
| refusals.py       | who refuses new tokens, so that renewing is in vain                   |
| backoff.py        | when to ask a server in trouble again                                 |
| limiter.py        | how many requests are under way at a time                             |
| origins.py        | where a token may go                                                  |
| login.py          | where the page goes when its session is over                          |
| cookie_session.py | a session that begins with the refresh token in an HttpOnly cookie    |
| access.py         | what ``SilentRefresh``, adapters and workers ask a session            |
| local_session.py  | the session of this page: puts all of these together                  |
| resource_session.py | one more API of the same sign-in, with an access token of its own   |
"""
