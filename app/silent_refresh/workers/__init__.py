"""One session for a page and its workers: the page's end, the worker's, and what they say to each other.

| page.py           | the page's end: serves the requests of its workers             |
| worker.py         | the worker's end: a session whose engine is the page's          |
| remote_request.py | a worker's request on its way through the page's engine         |
| channel.py        | the messages between the two                                    |
"""
