from pyscript import document, when, window
from session import auth, client

REASONS = {
    "sign_out": "You are signed out.",
    "elsewhere": "You signed out in another tab.",
    "rejected": "Your session has ended. Please sign in again.",
}

told = document.getElementById("told")
reason = window.URLSearchParams.new(window.location.search).get("reason")
told.textContent = REASONS.get(reason, "")


@when("submit", "#sign-in")
async def sign_in(event):
    elements = event.target.elements
    fields = {field: elements.namedItem(field).value for field in ("username", "password")}
    answer = await client.post("/login", json=fields, auth=None)
    if answer.ok:
        await auth.sign_in(await answer.json())
        window.location.assign(auth.next_path())
    else:
        told.textContent = "That was not right. Please try again."


document.querySelector("button").disabled = False
