from hello import greeting
from pyscript import document, when
from session import auth

from silent_refresh import SilentRefreshError


@when("click", "#sign-out")
async def sign_out(event):
    await auth.sign_out()  # here, in the other tabs, at the server, and then to the login


if await auth.ensure_signed_in():  # else the page is on its way to the login
    try:
        document.getElementById("hello").textContent = await greeting()
    except SilentRefreshError as error:
        document.getElementById("hello").textContent = str(error)
