import marimo

app = marimo.App()


@app.cell
def _():
    from asyncio import gather

    import marimo as mo
    from pyodide.http import pyfetch

    from silent_refresh import Client, NotSignedIn, SilentRefresh

    auth = SilentRefresh(login=None)
    client = Client("/api", auth=auth)

    async def ask():
        try:
            return (await client.get("profile")).status
        except NotSignedIn as error:
            return type(error).__name__

    return ask, auth, gather, mo, pyfetch


@app.cell
def _(mo):
    signs_in, asks, signs_out = (mo.ui.run_button(label=it) for it in ("Sign in", "Ask", "Sign out"))
    mo.hstack([signs_in, asks, signs_out])
    return asks, signs_in, signs_out


@app.cell
async def _(auth, mo, pyfetch, signs_in):
    mo.stop(not signs_in.value)
    _answer = await pyfetch(
        "/login",
        method="POST",
        headers={"Content-Type": "application/json"},
        body='{"username": "demo", "password": "demo-password"}',
    )
    await auth.sign_in(await _answer.json())
    mo.md("Signed in.")
    return


@app.cell
def _():
    count = iter(range(1, 100))
    return (count,)


@app.cell
async def _(ask, asks, count, gather, mo):
    mo.stop(not asks.value)
    mo.md(f"Asked {next(count)}: {await gather(*[ask() for _ in range(5)])}")
    return


@app.cell
async def _(auth, mo, signs_out):
    mo.stop(not signs_out.value)
    await auth.sign_out()
    mo.md("Signed out.")
    return


if __name__ == "__main__":
    app.run()
